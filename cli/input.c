/*
 * Where bytes come from. zlib reads files that are not compressed as they are, so with it there is one path for both.
 */
#include "input.h"
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

struct Input {
    const char *name;
    int file;
    bool started;
#ifdef HAVE_ZLIB
    gzFile zip;
#endif
};

static int open_file(const char *path)
{
    struct stat about;
    int file = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY);
    if (file < 0 || fstat(file, &about) || (S_ISDIR(about.st_mode) && (errno = EISDIR))) {
        complain(BAD_USE, "cannot open %s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    return file;
}

Input *input_open(const char *path)
{
    int file = open_file(path);
    Input *input = file < 0 ? NULL : calloc(1, sizeof *input);
    if (!input) {
        if (file >= 0)
            close(file);
        return NULL;
    }
    input->name = strcmp(path, "-") == 0 ? "standard input" : path;
    input->file = file;
#ifdef HAVE_ZLIB
    input->zip = gzdopen(file, "rb");
    if (!input->zip) {
        complain(BAD_USE, "cannot open %s: out of memory", path);
        close(file);
        free(input);
        return NULL;
    }
    gzbuffer(input->zip, 1 << 17);
#endif
    return input;
}

void input_close(Input *input)
{
    if (!input)
        return;
#ifdef HAVE_ZLIB
    gzclose(input->zip);
#else
    close(input->file);
#endif
    free(input);
}

#ifdef HAVE_ZLIB
long input_read(Input *input, char *bytes, size_t n)
{
    int error = 0, got = gzread(input->zip, bytes, n < 1 << 30 ? (unsigned)n : 1 << 30);
    const char *text = gzerror(input->zip, &error);
    if (got >= 0 && (error == Z_OK || error == Z_STREAM_END))
        return got;
    if (error == Z_BUF_ERROR)
        text = "the compressed data end too early";
    else if (error == Z_ERRNO)
        text = strerror(errno);
    complain(BAD_DATA, "%s: %s", input->name, text);
    return -1;
}
#else
long input_read(Input *input, char *bytes, size_t n)
{
    ssize_t got;
    do
        got = read(input->file, bytes, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        complain(BAD_DATA, "%s: %s", input->name, strerror(errno));
    else if (!input->started && got > 1 && memcmp(bytes, "\x1f\x8b", 2) == 0)
        return complain(BAD_DATA, "%s: this is gzip, and the program was built without zlib", input->name), -1;
    input->started = true;
    return got;
}
#endif
