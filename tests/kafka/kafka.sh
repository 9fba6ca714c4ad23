#!/bin/sh
# The consumer of examples/kafka against a broker made of Maven's artifacts: kafka.sh MVN JAVA PYTHON REDIS_SERVER CONSUMER
# MODULE LIBRARY FOLDER, "" for what there is not. Without Maven Central this says so and skips.
mvn=$1 java=$2 python=$3 server=$4 consumer=$5 module=$6 library=$7 folder=$8
here=$(dirname "$0")
for tool in "$mvn" "$java" "$consumer"; do
    [ -n "$tool" ] || { echo "skipped: maven, java or librdkafka is missing"; exit 77; }
done
command -v kcat > /dev/null || { echo "skipped: kcat is missing"; exit 77; }
if ! ls "$folder"/jars/kafka_2.13-*.jar > /dev/null 2>&1; then
    mkdir -p "$folder"
    "$mvn" -q -B -f "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$folder/jars" > "$folder/mvn.log" 2>&1 ||
        { echo "skipped: Maven Central is out of reach"; exit 77; }
fi
exec "$python" "$here/kafka.py" "$java" "$folder/jars" "$consumer" "$server" "$module" "$library" 40000 40
