/* The formats are told by their first bytes. Several members or frames behind one another are one file. */
#include "unpack.h"
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

typedef long Step(Unpacker *u, const unsigned char *bytes, size_t n, size_t *used, char *out, size_t room);

struct Unpacker {
    Step *step;
    bool inside; /* a member or frame has begun and not ended */
#ifdef HAVE_ZLIB
    z_stream zip;
    bool is_gzip;
#endif
#ifdef HAVE_ZSTD
    ZSTD_DStream *zstd;
#endif
};

#ifdef HAVE_ZLIB
/* Behind a member another one may follow, or zeros that fill a block. False: something else does. */
static bool next_member(Unpacker *u)
{
    z_stream *zip = &u->zip;
    for (; zip->avail_in > 0 && *zip->next_in == 0; zip->next_in++)
        zip->avail_in--;
    if (zip->avail_in == 0)
        return true;
    u->inside = *zip->next_in == 0x1f && inflateReset(zip) == Z_OK;
    return u->inside;
}

static long gzip_step(Unpacker *u, const unsigned char *bytes, size_t n, size_t *used, char *out, size_t room)
{
    z_stream *zip = &u->zip;
    zip->next_in = (unsigned char *)bytes;
    zip->avail_in = (unsigned)n;
    zip->next_out = (unsigned char *)out;
    zip->avail_out = room < 1 << 30 ? (unsigned)room : 1 << 30;
    unsigned wanted = zip->avail_out;
    if (!u->inside && !next_member(u))
        return UNPACK_FOREIGN;
    int result = u->inside ? inflate(zip, Z_NO_FLUSH) : Z_OK;
    *used = n - zip->avail_in;
    if (result == Z_STREAM_END)
        u->inside = false;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return UNPACK_DAMAGED;
    return (long)(wanted - zip->avail_out);
}
#endif

static int start_gzip(Unpacker *u)
{
#ifdef HAVE_ZLIB
    u->step = gzip_step;
    u->is_gzip = u->inside = inflateInit2(&u->zip, 16 + MAX_WBITS) == Z_OK;
    return u->is_gzip ? 0 : BAD_DATA;
#else
    (void)u;
    return BAD_USE;
#endif
}

#ifdef HAVE_ZSTD
static long zstd_step(Unpacker *u, const unsigned char *bytes, size_t n, size_t *used, char *out, size_t room)
{
    ZSTD_inBuffer from = {bytes, n, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(u->zstd, &to, &from);
    *used = from.pos;
    if (ZSTD_isError(result))
        return u->inside ? UNPACK_DAMAGED : UNPACK_FOREIGN;
    u->inside = result != 0;
    return (long)to.pos;
}
#endif

static int start_zstd(Unpacker *u)
{
#ifdef HAVE_ZSTD
    u->step = zstd_step;
    u->inside = true;
    u->zstd = ZSTD_createDStream();
    return u->zstd ? 0 : BAD_DATA;
#else
    (void)u;
    return BAD_USE;
#endif
}

/* Formats by their first bytes: those that are read, and those of which the message says how to. */
static const struct {
    const char *magic;
    size_t size;
    int (*start)(Unpacker *);
    const char *what, *pipe;
} formats[] = {
    {"\x1f\x8b", 2, start_gzip, "gzip", "gzip -dc %s | anabranch ... -"},
    {"\x28\xb5\x2f\xfd", 4, start_zstd, "zstd", "zstd -dc %s | anabranch ... -"},
    {"BZh", 3, NULL, "bzip2", "bzip2 -dc %s | anabranch ... -"},
    {"\xfd"
     "7zXZ",
     5, NULL, "xz", "xz -dc %s | anabranch ... -"},
    {"\x04\x22\x4d\x18", 4, NULL, "lz4", "lz4 -dc %s | anabranch ... -"},
    {"PK\x03\x04", 4, NULL, "zip, or a spreadsheet", "unzip -p %s | anabranch ... -, or save the sheet as CSV"},
    {"7z\xbc\xaf\x27\x1c", 6, NULL, "7z", "7z x -so %s | anabranch ... -"},
    {"PAR1", 4, NULL, "Parquet", "duckdb -csv -c \"from '%s'\" | anabranch ... -"},
    {"ARROW1", 6, NULL, "Arrow or Feather", "read it in Python, and write CSV from there"},
    {"\x89HDF", 4, NULL, "HDF5", "read it in Python, and write CSV from there"},
    {"SQLite format 3", 15, NULL, "SQLite", "sqlite3 -csv -header %s 'select * from ...' | anabranch ... -"},
    {"<!DOCTYPE", 9, NULL, "HTML, a page for browsers", "save its table as CSV"},
    {"<!doctype", 9, NULL, "HTML, a page for browsers", "save its table as CSV"},
    {"<html", 5, NULL, "HTML, a page for browsers", "save its table as CSV"},
    {"<?xml", 5, NULL, "XML", "read it in Python, and write CSV from there"},
    {"\x89"
     "ANB",
     4, NULL, "a saved model of anabranch, not a table", "say it by -m"},
};

static int refuse(size_t i, const char *name)
{
    char hint[600];
    snprintf(hint, sizeof hint, formats[i].pipe, name);
    return complain(BAD_DATA, "%s: this is %s%s: %s", name, formats[i].what,
                    formats[i].start ? ", and the program was built without its library" : "", hint);
}

int unpack_start(const unsigned char *bytes, size_t n, const char *name, Unpacker **unpacker)
{
    size_t i = 0, count = sizeof formats / sizeof *formats;
    while (i < count && (n < formats[i].size || memcmp(bytes, formats[i].magic, formats[i].size) != 0))
        i++;
    *unpacker = NULL;
    if (i == count)
        return 0;
    if (!formats[i].start)
        return refuse(i, name);
    *unpacker = calloc(1, sizeof **unpacker);
    int status = *unpacker ? formats[i].start(*unpacker) : BAD_DATA;
    if (status == BAD_USE)
        return refuse(i, name);
    return status ? complain(BAD_DATA, "%s: out of memory", name) : 0;
}

void unpack_end(Unpacker *u)
{
    if (!u)
        return;
#ifdef HAVE_ZLIB
    if (u->is_gzip)
        inflateEnd(&u->zip);
#endif
#ifdef HAVE_ZSTD
    ZSTD_freeDStream(u->zstd);
#endif
    free(u);
}

long unpack(Unpacker *u, const unsigned char *bytes, size_t n, size_t *used, char *out, size_t room)
{
    return u->step(u, bytes, n, used, out, room);
}

bool unpack_complete(const Unpacker *u)
{
    return !u->inside;
}
