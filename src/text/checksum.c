/*
 * CRC-32C, eight bytes a step.
 *
 *     crc <- crc / x^8 + byte, over GF(2), bits reflected, all inverted at both ends
 *
 * table[k][b] is what byte b does when k more bytes follow it. Kounavis & Berry 2005 on slicing by eight.
 */
#include "checksum.h"
#include <string.h>

static const uint32_t polynomial = 0x82f63b78;

void anb_checksum_init(AnbChecksum *sum)
{
    sum->value = 0;
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (polynomial & -(crc & 1));
        sum->table[0][b] = crc;
    }
    for (size_t k = 1; k < 8; k++)
        for (size_t b = 0; b < 256; b++) {
            uint32_t before = sum->table[k - 1][b];
            sum->table[k][b] = (before >> 8) ^ sum->table[0][before & 255];
        }
}

static uint32_t little_endian(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void anb_checksum_add(AnbChecksum *sum, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint32_t crc = ~sum->value;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low = crc ^ little_endian(p), high = little_endian(p + 4);
        crc = 0;
        for (unsigned i = 0; i < 4; i++)
            crc ^= sum->table[7 - i][low >> 8 * i & 255] ^ sum->table[3 - i][high >> 8 * i & 255];
    }
    for (; n > 0; n--, p++)
        crc = (crc >> 8) ^ sum->table[0][(crc ^ *p) & 255];
    sum->value = ~crc;
}
