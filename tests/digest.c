/*
 * The same bits everywhere: a checksum of what every type predicts over 20,000 samples, against the constants in
 * digests.txt. A plain program, so that it also runs where Check does not: other compilers, other processors.
 *
 *     digest FILE         the first 2,000 samples, on every instruction set that this processor has
 *     digest FILE all     all 20,000
 *     digest FILE write   writes the constants anew: for a change that is meant to change predictions
 */
#include "src/text/checksum.h"
#include "src/simd/isa.h"
#include "zoo.h"
#include <stdlib.h>

enum { SHORT = 2000, WHOLE = 20000, ANIMALS = 256 };

typedef struct Digest {
    char name[ZOO_TEXT];
    unsigned first, whole; /* after SHORT and after WHOLE samples */
} Digest;

static void add_bits(AnbChecksum *sum, double f)
{
    unsigned char bytes[8];
    uint64_t bits;
    memcpy(&bits, &f, 8);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    anb_checksum_add(sum, bytes, 8);
}

static Digest digest_of(size_t animal, size_t samples)
{
    Digest d = {.first = 0};
    AnbChecksum sum;
    AnbError error = {0};
    ZooStream s = zoo_stream(99, true);
    StreamingLearner *model = zoo_model(animal, NULL, &error);
    zoo_name(animal, d.name);
    if (!model) {
        fprintf(stderr, "%s: %s\n", d.name, error.message);
        exit(1);
    }
    anb_checksum_init(&sum);
    for (size_t t = 0; t < samples; t++) {
        zoo_next(&s);
        add_bits(&sum, anb_train_one(model, s.x, s.y, 1));
        if (t + 1 == SHORT)
            d.first = sum.value;
    }
    d.whole = sum.value;
    anb_free(model);
    return d;
}

static int write_all(const char *path)
{
    FILE *file = fopen(path, "w");
    for (size_t i = 0; file && i < zoo_count(); i++) {
        Digest d = digest_of(i, WHOLE);
        fprintf(file, "%s %08x %08x\n", d.name, d.first, d.whole);
    }
    return file && fclose(file) == 0 ? 0 : 1;
}

/* The constant of a name, or NULL. */
static const Digest *find(const Digest *known, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

static int check_all(const Digest *known, size_t n, bool all, const char *isa)
{
    int wrong = 0;
    for (size_t i = 0; i < zoo_count(); i++) {
        Digest d = digest_of(i, all ? WHOLE : SHORT);
        const Digest *k = find(known, n, d.name);
        if (k && d.first == k->first && (!all || d.whole == k->whole))
            continue;
        wrong++;
        printf("%s on %s: %08x %08x %s\n", d.name, isa, d.first, d.whole,
               k ? "are other predictions than everywhere else" : "has no constant; `digest FILE write` makes it");
    }
    return wrong;
}

static size_t read_all(const char *path, Digest *known)
{
    size_t n = 0;
    FILE *file = fopen(path, "r");
    while (file && n < ANIMALS && fscanf(file, "%511s %x %x", known[n].name, &known[n].first, &known[n].whole) == 3)
        n++;
    if (file)
        fclose(file);
    return n;
}

int main(int argc, char **argv)
{
    static const AnbIsa levels[] = {ANB_ISA_BASELINE, ANB_ISA_V3, ANB_ISA_V4};
    static const char *const names[] = {"baseline", "v3", "v4"};
    static Digest known[ANIMALS];
    bool all = argc == 3 && strcmp(argv[2], "all") == 0;
    if (argc < 2 || (argc == 3 && !all && strcmp(argv[2], "write") != 0))
        return 2;
    if (argc == 3 && !all)
        return write_all(argv[1]);
    size_t n = read_all(argv[1], known);
    int wrong = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (anb_isa_use(levels[i]))
            wrong += check_all(known, n, all, names[i]);
    printf("%zu types, %d wrong\n", zoo_count(), wrong);
    return wrong > 0;
}
