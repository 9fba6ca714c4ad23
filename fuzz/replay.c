/* Runs a target over files, or over every file of folders: replay PATH... */
#include "fuzz.h"
#include <dirent.h>
#include <sys/stat.h>

static size_t inputs;

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    FUZZ_ASSERT(file, "%s", path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    FUZZ_ASSERT(data && fread(data, 1, (size_t)size, file) == (size_t)size, "%s", path);
    fclose(file);
    /* exactly as large as the input, so that a read behind it is seen */
    uint8_t *exact = malloc((size_t)size > 0 ? (size_t)size : 1);
    FUZZ_ASSERT(exact, "%s", path);
    memcpy(exact, data, (size_t)size);
    free(data);
    LLVMFuzzerTestOneInput(exact, (size_t)size);
    free(exact);
    inputs++;
}

static void run_path(const char *path)
{
    struct stat status;
    FUZZ_ASSERT(stat(path, &status) == 0, "%s", path);
    if (!S_ISDIR(status.st_mode)) {
        run_file(path);
        return;
    }
    DIR *folder = opendir(path);
    FUZZ_ASSERT(folder, "%s", path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            run_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    printf("%zu inputs\n", inputs);
    return inputs > 0 ? 0 : 1;
}
