#include "utf16.h"
#include <stdint.h>
#include <string.h>

bool utf16_begins(Utf16 *wide, const char *bytes)
{
    wide->big = memcmp(bytes, "\xfe\xff", 2) == 0;
    wide->on = wide->big || memcmp(bytes, "\xff\xfe", 2) == 0;
    return wide->on;
}

static uint32_t unit(const Utf16 *wide, size_t at)
{
    const unsigned char *p = wide->bytes + at;
    return wide->big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static char *put(uint32_t c, char *out)
{
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[more] | c >> 6 * more);
    while (more-- > 0)
        *out++ = (char)(0x80 | (c >> 6 * more & 0x3f));
    return out;
}

long utf16_turn(Utf16 *wide, size_t n, char *out)
{
    char *to = out;
    size_t at = 0;
    for (size_t size; at + 2 <= n; at += size) {
        uint32_t c = unit(wide, at);
        bool pair = c >= 0xd800 && c < 0xdc00;
        size = pair ? 4 : 2;
        if (at + size > n)
            break;
        uint32_t low = pair ? unit(wide, at + 2) : 0;
        if ((pair && (low < 0xdc00 || low > 0xdfff)) || (c >= 0xdc00 && c <= 0xdfff))
            return -1;
        to = put(pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : c, to);
    }
    wide->held = n - at;
    memmove(wide->bytes, wide->bytes + at, wide->held);
    return (long)(to - out);
}
