/*
 * Learns the messages of a Kafka topic, each once, whatever is killed or moved meanwhile.
 *
 *     kafka_learn BROKERS TOPIC GROUP FEATURES EXPRESSION redis HOST PORT KEY
 *     kafka_learn BROKERS TOPIC GROUP FEATURES EXPRESSION files FOLDER EVERY
 *
 * A message is a line `y,x1,...,xn`; another one is passed and counted. Every partition has a model of its own, learned
 * in the partition's order. Where reading goes on is not what Kafka's group has committed but the position that is kept
 * with the model: on an assignment this program asks for it and seeks there. Two members that both believe to own a
 * partition, as after a pause, do no harm: the offset is the sample's number, and a number is learned once.
 *
 * It ends on SIGTERM or SIGINT, or once it has been at the end of all its partitions for IDLE seconds where the
 * variable KAFKA_LEARN_IDLE is set, and prints what it counted.
 */
#include "sink.h"
#include <anabranch/number.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 500, WAIT_MS = 200 };

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

void source_name(char *out, size_t size, const char *topic, int32_t partition)
{
    snprintf(out, size, "%.40s/%d", topic, partition);
}

/* ---- assignments ------------------------------------------------------------------------------------------------- */

/* Sets each partition to where its model stands. */
static int set_positions(Sink *sink, rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        int64_t next;
        rd_kafka_topic_partition_t *p = &partitions->elems[i];
        if (sink->position(sink, p->partition, &next))
            return -1;
        p->offset = next < 0 ? RD_KAFKA_OFFSET_BEGINNING : next;
    }
    return 0;
}

static void on_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions,
                         void *context)
{
    Sink *sink = context;
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        if (set_positions(sink, partitions))
            stopped = 1;
        rd_kafka_assign(consumer, partitions);
        return;
    }
    sink->settle(sink);
    for (int i = 0; i < partitions->cnt; i++)
        sink->release(sink, partitions->elems[i].partition);
    rd_kafka_assign(consumer, NULL);
}

/* After a server was away: back to what it has learned. */
static int seek_again(rd_kafka_t *consumer, Sink *sink)
{
    rd_kafka_topic_partition_list_t *mine = NULL;
    if (rd_kafka_assignment(consumer, &mine))
        return -1;
    int code = set_positions(sink, mine);
    if (!code)
        rd_kafka_assign(consumer, mine);
    rd_kafka_topic_partition_list_destroy(mine);
    return code;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* `y,x1,...`; n = 0 where it is none. */
static void read_message(const rd_kafka_message_t *message, Sample *sample)
{
    const char *at = message->payload, *end = at + message->len;
    sample->partition = message->partition;
    sample->offset = message->offset;
    sample->n = 0;
    for (size_t n = 0; n < SAMPLE_CELLS && at < end; at++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t length = (size_t)((comma ? comma : end) - at);
        int used = anb_number_parse(at, length, &sample->cell[n]);
        if (used < 0 || (size_t)used != length)
            return;
        n++;
        if (!comma) {
            sample->n = n;
            return;
        }
        at = comma;
    }
}

/* Learns up to BATCH messages. How many came, or -1 where the sink was away. */
static int learn_batch(rd_kafka_queue_t *queue, Sink *sink)
{
    static Sample sample;
    rd_kafka_message_t *message[BATCH];
    ssize_t n = rd_kafka_consume_batch_queue(queue, WAIT_MS, message, BATCH);
    int learned = 0, code = 0;
    for (ssize_t i = 0; i < n; i++) {
        if (message[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR && !code) {
            read_message(message[i], &sample);
            code = sink->take(sink, &sample);
            learned++;
        }
        rd_kafka_message_destroy(message[i]);
    }
    return code || sink->settle(sink) ? -1 : learned;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[200];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return 0;
    fprintf(stderr, "%s\n", why);
    return -1;
}

static rd_kafka_t *join(const char *brokers, const char *topic, const char *group, Sink *sink)
{
    char why[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (set(conf, "bootstrap.servers", brokers) || set(conf, "group.id", group) ||
        set(conf, "enable.auto.commit", "false") || set(conf, "auto.offset.reset", "earliest") ||
        set(conf, "session.timeout.ms", "6000") || set(conf, "log_level", "2"))
        return NULL;
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!consumer) {
        fprintf(stderr, "%s\n", why);
        return NULL;
    }
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

/* By a clock that nobody sets. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int run(rd_kafka_t *consumer, Sink *sink)
{
    const char *idle = getenv("KAFKA_LEARN_IDLE");
    double longest = idle ? atof(idle) : 0;
    double busy = seconds();
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    while (!stopped) {
        int n = learn_batch(queue, sink);
        if (n < 0 && seek_again(consumer, sink))
            break;
        if (n != 0)
            busy = seconds();
        if (longest > 0 && seconds() - busy > longest)
            break;
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(consumer); /* gives the partitions back: on_rebalance */
    rd_kafka_destroy(consumer);
    return stopped || longest > 0 ? 0 : 1;
}

static Sink *sink_of(int argc, char **argv)
{
    size_t features = argc > 6 ? strtoul(argv[4], NULL, 10) : 0;
    if (argc == 10 && strcmp(argv[6], "redis") == 0)
        return sink_redis(argv[7], atoi(argv[8]), argv[9], argv[2], argv[5], features);
    if (argc == 9 && strcmp(argv[6], "files") == 0)
        return sink_file(argv[7], argv[2], argv[5], features, strtoul(argv[8], NULL, 10));
    fprintf(stderr,
            "usage: kafka_learn BROKERS TOPIC GROUP FEATURES EXPRESSION redis HOST PORT KEY | files FOLDER EVERY\n");
    return NULL;
}

int main(int argc, char **argv)
{
    Sink *sink = sink_of(argc, argv);
    rd_kafka_t *consumer = sink ? join(argv[1], argv[2], argv[3], sink) : NULL;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    int status = consumer ? run(consumer, sink) : 2;
    if (sink) {
        printf("learned %llu, repeated %llu, refused %llu\n", sink->learned, sink->repeated, sink->refused);
        sink->free(sink);
    }
    return status;
}
