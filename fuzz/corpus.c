/* Writes the seeds of the corpora that no editor can: corpus FOLDER. Run where types were added; existing files stay. */
#include "fuzz.h"
#include "tests/zoo.h"
#include <sys/stat.h>

enum { LARGEST = 6000 };

static void write_file(const char *folder, const char *kind, const char *name, const void *bytes, size_t size)
{
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    if (stat(path, &status) == 0)
        return;
    FILE *file = fopen(path, "wb");
    FUZZ_ASSERT(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", path);
}

static void snapshot_seed(const char *folder, const char *name, const StreamingLearner *model)
{
    size_t size = anb_snapshot_size(model, NULL);
    uint8_t *bytes = malloc(size);
    anb_snapshot_to_memory(model, NULL, bytes, size, NULL);
    if (size <= LARGEST)
        write_file(folder, "snapshot", name, bytes, size);
    free(bytes);
}

/* A history that trains plainly, then with every hostile number, and asks, copies and saves between. */
static void calls_seed(const char *folder, const char *name, size_t animal)
{
    uint8_t bytes[256] = {(uint8_t)animal, 1, 0xf4, 3};
    size_t n = 4;
    for (unsigned k = 0; k < 18; k++) {
        bytes[n++] = 7;
        for (unsigned j = 0; j < ZOO_FEATURES; j++)
            bytes[n++] = (uint8_t)(k == 17 ? 150 : (k + j * (k % 3)) % 18);
        bytes[n++] = (uint8_t)(k * 11 % 18);
        bytes[n++] = (uint8_t)(k % 4);
    }
    write_file(folder, "calls", name, bytes, n);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < zoo_count(); i++) {
        char name[ZOO_TEXT], text[ZOO_TEXT];
        ZooStream s = zoo_stream(1, true);
        zoo_name(i, name);
        text[0] = ZOO_FEATURES - 1;
        zoo_expression(i, text + 1);
        write_file(argv[1], "expression", name, text, strlen(text));
        StreamingLearner *model = zoo_model(i, NULL, NULL);
        zoo_train(model, &s, 40);
        snapshot_seed(argv[1], name, model);
        calls_seed(argv[1], name, i);
        anb_free(model);
    }
    return argc == 2 ? 0 : 2;
}
