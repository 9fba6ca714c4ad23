/*
 * Reading decimal rows: anb_number_parse against strtod on the same text, A B A B, the least time of each.
 */
#include "record.h"
#include <anabranch/number.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NUMBERS = 200000, REPEATS = 15, ROOM = 26 };

typedef struct Text {
    const char *name;
    char *bytes;
    size_t size;
} Text;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double uniform(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static Text make(const char *name, const char *format, double scale)
{
    Text text = {name, malloc(NUMBERS * (size_t)ROOM), 0};
    for (int i = 0; i < NUMBERS && text.bytes; i++) {
        text.size += (size_t)snprintf(text.bytes + text.size, ROOM, format, (uniform() - 0.3) * scale);
        text.bytes[text.size++] = i % 10 == 9 ? '\n' : ',';
    }
    return text;
}

static double sum_own(Text text)
{
    double sum = 0, value = 0;
    for (size_t p = 0; p < text.size; p++) {
        p += (size_t)anb_number_parse(text.bytes + p, text.size - p, &value);
        sum += value;
    }
    return sum;
}

static double sum_libc(Text text)
{
    double sum = 0;
    for (char *p = text.bytes; p < text.bytes + text.size; p++)
        sum += strtod(p, &p);
    return sum;
}

static double least(double (*run)(Text), Text text, double *best)
{
    double start = now(), sum = run(text), taken = now() - start;
    if (taken < *best)
        *best = taken;
    return sum;
}

static int compare(Text text)
{
    double own = 1e9, libc = 1e9;
    for (int i = 0; i < REPEATS; i++)
        if (least(sum_own, text, &own) != least(sum_libc, text, &libc))
            return 1;
    double size = (double)text.size / 1e6;
    printf("%-28s %8.0f MB/s %6.1f ns   strtod %6.0f MB/s %6.1f ns   ratio %5.2f\n", text.name, size / own,
           own / NUMBERS * 1e9, size / libc, libc / NUMBERS * 1e9, libc / own);
    bench_record("decimal", text.name, own / NUMBERS * 1e9, "ns");
    return 0;
}

int main(void)
{
    const Text texts[] = {make("prices: -12.34", "%.2f", 100),
                          make("measurements: 0.123456", "%.6f", 1),
                          make("fifteen digits", "%.15g", 1),
                          make("seventeen digits", "%.17g", 1),
                          make("with exponents: 1.2345e-08", "%.4e", 1e-7),
                          make("whole numbers", "%.0f", 1e6)};
    int failed = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        failed |= !texts[i].bytes || compare(texts[i]);
        free(texts[i].bytes);
    }
    if (failed)
        fprintf(stderr, "the two sums differ\n");
    return failed;
}
