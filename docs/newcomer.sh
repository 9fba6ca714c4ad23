#!/bin/bash
# A newcomer's first minutes on a clean Debian 12, as a page: what is typed, what is seen, how long it took.
#
#     docs/newcomer.sh FOLDER [demo|check] >page.md
#
# Needs root, debootstrap, unshare and the network. Makes FOLDER/root by debootstrap, unless it is there, and a copy of it for the
# run, clones the last commit of this project into the copy and types the commands below in it. `check` types only `make
# check`, then `make demo`: the other order. FOLDER/log keeps all output. Status 1 with the first command that fails.
set -u
# Processes and mounts of its own: what runs inside cannot reach the host's, and ends with the script.
[ -n "${ANB_ALONE:-}" ] || ANB_ALONE=1 exec unshare --pid --mount --fork --mount-proc "$0" "$@"
top=$(cd "$(dirname "$0")/.." && pwd) folder=$1 order=${2:-demo}
root=$folder/$order log=$folder/log-$order
home=/root

prepare()
{
    command -v debootstrap >/dev/null || { echo "newcomer.sh: debootstrap is missing (Debian's package of that name)" >&2; exit 2; }
    mkdir -p "$folder" && : >"$log" || exit 2
    [ -d "$folder/root" ] || debootstrap --variant=minbase bookworm "$folder/root" http://deb.debian.org/debian >"$log" 2>&1 || exit 2
    rm -rf --one-file-system "$root" && cp -a "$folder/root" "$root" && git clone -q --bare "$top" "$root/srv/anabranch.git" || exit 2
    # The host's way to the archive (a mirror's rules, a proxy), and to PyPI where its network has certificates of its own.
    cp /etc/apt/apt.conf.d/99* "$root/etc/apt/apt.conf.d/" 2>/dev/null
    cp /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt "$root/etc/" || exit 2
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev" || exit 2
}

inside()
{
    env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive PIP_CERT=/etc/ca-certificates.crt chroot "$root" /bin/bash -c "cd $home && { $1; }"
}

say()
{
    printf '\n%s\n\n' "$1"
}

# try COMMAND [LAST_LINES]: types it, shows the last lines of what it prints.
try()
{
    local from=$SECONDS status lines
    printf '%s\n' "$1" | sed '1s/^/    $ /; 2,$s/^/    /'
    printf '\n$ %s\n' "$1" >>"$log"
    inside "$1" >"$folder/out" 2>&1
    status=$?
    cat "$folder/out" >>"$log"
    lines=$(wc -l <"$folder/out")
    [ "$lines" -le "${2:-12}" ] || echo "    ... ($((lines - ${2:-12})) lines before)"
    tail -n "${2:-12}" "$folder/out" | sed -E 's/^(.{140}).+/\1 .../; s/^/    /; s/[[:blank:]]*$//'
    [ $((SECONDS - from)) -lt 20 ] || printf '\n(%d min %02d s)\n\n' $(((SECONDS - from) / 60)) $(((SECONDS - from) % 60))
    [ "$status" -eq 0 ] || { printf '\nStatus %d: the newcomer stops here.\n' "$status"; exit 1; }
}

set_up()
{
    say 'A minimal Debian 12 (`debootstrap --variant=minbase`) with nothing but git, make and the certificates of the web:'
    try 'apt-get update -qq && apt-get install -y -qq --no-install-recommends git make ca-certificates >/dev/null 2>&1' 3
    say 'The clone (the address is that of a copy inside the machine):'
    try 'git clone -q /srv/anabranch.git && ls -C -w 100 anabranch' 30
    home=/root/anabranch
}

demo()
{
    say '## `make demo`'
    try 'make demo' 40
}

check()
{
    say '## `make check`'
    try 'make check' 12
}

own_table()
{
    say '## A table of one'"'"'s own, with dates and categories'
    say 'Two years of a kiosk'"'"'s sales: a date, a town, the weather, a price, and how many cups were sold.'
    try 'cat >kiosk.py <<EOF
import datetime, random
random.seed(1)
print("day,town,weather,price,cups")
for i in range(730):
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=i)
    for town in random.sample(["Ulm", "Köln"], 2):
        weather, price = random.choice(["sun", "rain", "snow"]), random.choice([2.5, 2.8, 3.0, 3.4])
        mean = 100 + 40 * (town == "Köln") - 20 * price + 30 * (weather == "snow") - 35 * (day.weekday() > 4)
        print(f"{day},{town},{weather},{price},{mean + random.gauss(0, 5):.0f}")
EOF
python3 kiosk.py >kiosk.csv && head -4 kiosk.csv'
    say 'How the columns are read, and how good the predictions are (the noise has a standard deviation of 5):'
    try 'build/cli/anabranch eval kiosk.csv --print-schema'
    try 'build/cli/anabranch eval kiosk.csv --diag run.jsonl' 26
    say 'The report, one page without the network:'
    try 'build/cli/anabranch report run.jsonl -o report.html && wc -c report.html && grep -o "<title>[^<]*</title>" report.html | head -1'
}

snapshot_and_service()
{
    say '## Keep the model, ask it'
    say 'Of a Friday and a Saturday to come; the recipe above says 80 and 49:'
    try 'build/cli/anabranch train --interval 0.9 -o kiosk.anb kiosk.csv && ls -s --block-size=K kiosk.anb'
    try 'printf "day,town,weather,price\n2026-01-02,Ulm,snow,2.5\n2026-01-03,Köln,sun,2.8\n" >new.csv
build/cli/anabranch predict -m kiosk.anb new.csv --interval 0.9 --keep day,town'
    say 'As a service, asked by curl:'
    try 'apt-get install -y -qq --no-install-recommends curl >/dev/null 2>&1
build/cli/anabranch serve kiosk.anb --port 8191 >serve.log 2>&1 & echo $! >serve.pid; sleep 2; cat serve.log'
    try "curl -s localhost:8191/predict -d '{\"x\": {\"day\": \"2026-01-02\", \"town\": \"Ulm\", \"weather\": \"snow\", \"price\": 2.5}, \"interval\": 0.9}'; echo
curl -s localhost:8191/learn -d '{\"x\": {\"day\": \"2026-01-02\", \"town\": \"Ulm\", \"weather\": \"snow\", \"price\": 2.5}, \"y\": 82}'; echo
curl -s localhost:8191/healthz; echo
curl -s localhost:8191/metrics | grep -m 2 '^anabranch_samples\\|^anabranch_rmse'"
    say 'SIGTERM saves what was learned and ends it:'
    try 'kill $(cat serve.pid); sleep 1; build/cli/anabranch inspect kiosk.anb | grep ^trained'
}

c_program()
{
    say '## A program in C'
    say 'The one of the README, after `make install`; the best answer is 1:'
    try 'make install' 5
    try "sed -n '/^\`\`\`c\$/,/^\`\`\`\$/p' README.md | grep -v '^\`\`\`' >program.c
cc program.c \$(pkg-config --cflags --libs anabranch) -o program && ./program"
    try 'ninja -C build uninstall | tail -1; ldconfig; find /usr/local -name "*anabranch*"'
}

packages()
{
    say '## Debian packages'
    try 'apt-get build-dep -y -qq ./ >/dev/null 2>&1' 5
    try 'DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b >../package.log 2>&1; tail -1 ../package.log; ls ../*.deb'
    say 'Installed, used, purged; what is left of it (nothing):'
    try 'files() { find / -xdev | grep -Ev "^/(proc|tmp|var/(lib/dpkg|lib/apt|cache|log))" | sort; }
files >/tmp/before; declare -f files >/tmp/files
apt-get install -y -qq ../*.deb 2>&1 | grep "^Setting up"'
    try 'cd / && anabranch --version && ls -l $(dpkg -L anabranch libanabranch0 anabranch-redis | grep "man1/anabranch-eval\|anabranch.so\|libanabranch.so") && cat /usr/include/anabranch/learner.h | head -3
cc '"$home"'/program.c $(pkg-config --cflags --libs anabranch) -o /tmp/program && /tmp/program'
    try 'apt-get purge -y -qq anabranch anabranch-redis libanabranch-dev libanabranch0 2>&1 | grep "^Removing\|^Purging"
. /tmp/files; files >/tmp/after; diff /tmp/before /tmp/after && echo "nothing left behind"'
}

heading()
{
    cat <<EOF
# A newcomer's first minutes

Typed by \`docs/newcomer.sh\` on $(date '+%-d %B %Y') in a clean Debian 12, at commit $(git -C "$top" rev-parse --short HEAD), on
$(nproc) cores, shared with other programs (load $(cut -d' ' -f1 /proc/loadavg)). Long output is cut to its last lines; what is printed is as it
was seen. \`docs/newcomer.sh FOLDER >docs/newcomer.md\`, as root, makes this page anew.
EOF
}

page()
{
    heading
    set_up && demo && check && own_table && snapshot_and_service && c_program && packages
}

prepare
if [ "$order" = check ]; then
    echo "# Tests first, then the demonstration"
    set_up && check && demo
else
    page
fi | cat -s
exit "${PIPESTATUS[0]}"
