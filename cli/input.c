/*
 * Reads bytes from a file or pipe. The format is detected from the first bytes; a read returns the bytes that are
 * available, so that data from a pipe are processed as they come.
 */
#include "input.h"
#include "cli.h"
#include "stop.h"
#include "unpack.h"
#include "utf16.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PACKED = 1 << 16, MAGIC = 16 };

struct Input {
    const char *name;
    int file;
    bool live;           /* no file on a disk */
    bool looked, ended;  /* whether the first bytes were seen; the file is at its end */
    bool begun;          /* whether the first bytes of the text were seen */
    size_t from, filled; /* of what was read and not yet handed on */
    unsigned char bytes[PACKED];
    Unpacker *unpacker; /* NULL: plain */
    Utf16 wide;
};

static int open_file(const char *path, bool *live)
{
    struct stat about;
    int file = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY);
    if (file < 0 || fstat(file, &about) || (S_ISDIR(about.st_mode) && (errno = EISDIR))) {
        complain(BAD_USE, "cannot open %s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    *live = !S_ISREG(about.st_mode);
    return file;
}

Input *input_open(const char *path)
{
    bool live;
    int file = open_file(path, &live);
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
    input->live = live;
    return input;
}

void input_close(Input *input)
{
    if (!input)
        return;
    unpack_end(input->unpacker);
    close(input->file);
    free(input);
}

bool input_is_live(const Input *input)
{
    return input->live;
}

/* Waits until the file has bytes or ends; false where the program has to stop. */
static bool wait_for(int file)
{
    struct pollfd both[2] = {{.fd = file, .events = POLLIN}, {.fd = stop_descriptor(), .events = POLLIN}};
    while (both[1].fd >= 0 && poll(both, 2, -1) < 0 && errno == EINTR)
        continue;
    return !stop_requested();
}

/* Reads from the file itself: bytes, 0 at the end, -1 with the message printed, or without one where the program has to
 * stop. */
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

/* Whether the bytes so far may be the beginning of a format's mark, so that more are needed. */
static bool undecided(const Input *input)
{
    return input->filled < MAGIC && !memchr(input->bytes, '\n', input->filled);
}

/* Reads the first bytes, as far as the file has them, and detects the format. */
static int look(Input *input)
{
    while (undecided(input) && !input->ended) {
        long got = read_file(input, input->bytes + input->filled, PACKED - input->filled);
        if (got < 0)
            return -1;
        input->filled += (size_t)got;
    }
    input->looked = true;
    return unpack_start(input->bytes, input->filled, input->name, &input->unpacker) ? -1 : 0;
}

static long read_unpacked(Input *input, char *bytes, size_t n)
{
    for (;;) {
        size_t used = 0;
        if (input->from == input->filled && !input->ended) {
            long got = read_file(input, input->bytes, PACKED);
            if (got < 0)
                return -1;
            input->from = 0;
            input->filled = (size_t)got;
        }
        size_t left = input->filled - input->from;
        long made = left == 0 && unpack_complete(input->unpacker)
                        ? 0
                        : unpack(input->unpacker, input->bytes + input->from, left, &used, bytes, n);
        input->from += used;
        if (made == UNPACK_DAMAGED)
            return broken(input, "the compressed data are damaged");
        if (made == UNPACK_FOREIGN)
            return broken(input, "something else is behind the compressed data");
        if (made > 0)
            return made;
        if (left == 0 && input->ended)
            return unpack_complete(input->unpacker) ? 0 : broken(input, "the compressed data end too early");
    }
}

/* The text's bytes in the file's own encoding. */
static long read_bytes(Input *input, char *bytes, size_t n)
{
    if (!input->looked && look(input))
        return -1;
    if (input->unpacker)
        return read_unpacked(input, bytes, n);
    size_t kept = input->filled - input->from;
    if (kept == 0)
        return input->ended ? 0 : read_file(input, bytes, n);
    kept = kept < n ? kept : n;
    memcpy(bytes, input->bytes + input->from, kept);
    input->from += kept;
    return (long)kept;
}

/* UTF-16: at least one character, turned; the room holds what the bytes read can become. */
static long read_wide(Input *input, char *bytes, size_t n)
{
    Utf16 *wide = &input->wide;
    size_t wanted = n / 2 < UTF16_BYTES ? n / 2 : UTF16_BYTES;
    for (;;) {
        long got = read_bytes(input, (char *)wide->bytes + wide->held, wanted - wide->held);
        if (got < 0)
            return got;
        if (got == 0)
            return wide->held == 0 ? 0 : broken(input, "the text ends inside a character of UTF-16");
        long made = utf16_turn(wide, wide->held + (size_t)got, bytes);
        if (made < 0)
            return broken(input, "half a surrogate pair: this is not UTF-16");
        if (made > 0)
            return made;
    }
}

/* The first two bytes tell UTF-16. */
static long read_first(Input *input, char *bytes, size_t n)
{
    size_t have = 0;
    for (long got = 1; have < 2 && got > 0; have += (size_t)got)
        if ((got = read_bytes(input, bytes + have, 2 - have)) < 0)
            return got;
    input->begun = true;
    return have == 2 && utf16_begins(&input->wide, bytes) ? read_wide(input, bytes, n) : (long)have;
}

long input_read(Input *input, char *bytes, size_t n)
{
    if (!input->begun)
        return read_first(input, bytes, n);
    return input->wide.on ? read_wide(input, bytes, n) : read_bytes(input, bytes, n);
}
