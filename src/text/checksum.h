/*
 * CRC-32C (Castagnoli's polynomial, as iSCSI and ext4 use it): finds every error of up to 32 bits in a row, on any
 * processor the same.
 */
#ifndef ANB_TEXT_CHECKSUM_H
#define ANB_TEXT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Tables for eight bytes a step, 8 KiB; made by init in about a microsecond. */
typedef struct AnbChecksum {
    uint32_t table[8][256];
    uint32_t value; /* of what was added so far */
} AnbChecksum;

void anb_checksum_init(AnbChecksum *sum);
void anb_checksum_add(AnbChecksum *sum, const void *bytes, size_t n);

#endif
