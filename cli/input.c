/*
 * Where bytes come from. The first two tell gzip from text; a read returns what there is, so that a pipe is followed as
 * it is filled.
 */
#include "input.h"
#include "cli.h"
#include "stop.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

enum { PACKED = 1 << 16 };

struct Input {
    const char *name;
    int file;
    bool looked, packed, ended; /* whether the first bytes were seen; are gzip; the file is at its end */
    size_t from, filled;        /* of what was read and not yet handed on */
    unsigned char bytes[PACKED];
#ifdef HAVE_ZLIB
    z_stream zip;
    bool inside; /* a member of the gzip file has begun and not ended */
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
    if (file < 0)
        return NULL;
    Input *input = calloc(1, sizeof *input);
    if (!input) {
        complain(BAD_USE, "cannot open %s: out of memory", path);
        close(file);
        return NULL;
    }
    input->name = strcmp(path, "-") == 0 ? "standard input" : path;
    input->file = file;
    return input;
}

void input_close(Input *input)
{
    if (!input)
        return;
#ifdef HAVE_ZLIB
    if (input->packed)
        inflateEnd(&input->zip);
#endif
    close(input->file);
    free(input);
}

/* Until the file has bytes or an end; false where the program was asked to stop. */
static bool wait_for(int file)
{
    struct pollfd both[2] = {{.fd = file, .events = POLLIN}, {.fd = stop_descriptor(), .events = POLLIN}};
    while (both[1].fd >= 0 && poll(both, 2, -1) < 0 && errno == EINTR)
        continue;
    return !stop_requested();
}

/* Reads from the file itself: bytes, 0 at the end, -1 with the complaint made, or without one where the program was
 * asked to stop. */
static long read_file(Input *input, void *bytes, size_t n)
{
    ssize_t got = 0;
    do {
        if (!wait_for(input->file))
            return -1;
        got = read(input->file, bytes, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        complain(BAD_DATA, "%s: %s", input->name, strerror(errno));
    input->ended = got == 0;
    return got;
}

static long broken(const Input *input, const char *what)
{
    complain(BAD_DATA, "%s: %s", input->name, what);
    return -1;
}

/* Sees to it that the first two bytes are there, where the file has as many. */
static int look(Input *input)
{
    while (input->filled < 2 && !input->ended) {
        long got = read_file(input, input->bytes + input->filled, PACKED - input->filled);
        if (got < 0)
            return -1;
        input->filled += (size_t)got;
    }
    input->looked = true;
    if (input->filled < 2 || memcmp(input->bytes, "\x1f\x8b", 2) != 0)
        return 0;
#ifdef HAVE_ZLIB
    if (inflateInit2(&input->zip, 16 + MAX_WBITS) != Z_OK)
        return (int)broken(input, "out of memory");
    input->packed = input->inside = true;
    return 0;
#else
    return (int)broken(input, "this is gzip, and the program was built without zlib");
#endif
}

#ifdef HAVE_ZLIB
/* Behind a member that ended another one may follow, or zeros that fill a block. 1: inside a member; 0: nothing but
 * zeros so far; -1 with the complaint made. */
static int next_member(Input *input)
{
    z_stream *zip = &input->zip;
    if (input->inside)
        return 1;
    for (; zip->avail_in > 0 && *zip->next_in == 0; zip->next_in++)
        zip->avail_in--;
    input->from = input->filled - zip->avail_in;
    if (zip->avail_in == 0)
        return 0;
    if (*zip->next_in != 0x1f || inflateReset(zip) != Z_OK)
        return (int)broken(input, "something else is behind the compressed data");
    input->inside = true;
    return 1;
}

static long unpack(Input *input, char *bytes, size_t n)
{
    z_stream *zip = &input->zip;
    zip->next_out = (unsigned char *)bytes;
    zip->avail_out = n < 1 << 30 ? (unsigned)n : 1 << 30;
    unsigned wanted = zip->avail_out;
    while (zip->avail_out == wanted) {
        if (input->from == input->filled && !input->ended) {
            long got = read_file(input, input->bytes, PACKED);
            if (got < 0)
                return -1;
            input->from = 0;
            input->filled = (size_t)got;
        }
        zip->next_in = input->bytes + input->from;
        zip->avail_in = (unsigned)(input->filled - input->from);
        if (zip->avail_in == 0)
            return input->inside ? broken(input, "the compressed data end too early") : 0;
        int member = next_member(input);
        if (member < 0)
            return -1;
        if (member == 0)
            continue;
        int result = inflate(zip, Z_NO_FLUSH);
        input->from = input->filled - zip->avail_in;
        if (result == Z_STREAM_END)
            input->inside = false;
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return broken(input, "the compressed data are damaged");
    }
    return (long)(wanted - zip->avail_out);
}
#endif

long input_read(Input *input, char *bytes, size_t n)
{
    if (!input->looked && look(input))
        return -1;
#ifdef HAVE_ZLIB
    if (input->packed)
        return unpack(input, bytes, n);
#endif
    size_t kept = input->filled - input->from;
    if (kept == 0)
        return input->ended ? 0 : read_file(input, bytes, n);
    kept = kept < n ? kept : n;
    memcpy(bytes, input->bytes + input->from, kept);
    input->from += kept;
    return (long)kept;
}
