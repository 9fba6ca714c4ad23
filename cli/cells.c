#include "cells.h"
#include "table.h"
#include <anabranch/number.h>
#include <anabranch/type.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(text, word, size) == 0;
}

static bool in_list(const Cell *cell, const char *list)
{
    while (list) {
        size_t size = strcspn(list, ",");
        if (size == cell->size && strncasecmp(list, cell->text, size) == 0)
            return true;
        list = list[size] ? list + size + 1 : NULL;
    }
    return false;
}

bool cell_missing(const CellFormat *format, const Cell *cell)
{
    static const char *const words[] = {"na", "nan", "n/a", "#n/a", "<na>", "null", "none", "?", "-"};
    if (cell->size == 0)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(cell->text, cell->size, words[i]))
            return true;
    return in_list(cell, format->missing);
}

static bool is_infinite(const Cell *cell, double *value)
{
    bool sign = cell->size > 0 && (*cell->text == '-' || *cell->text == '+');
    const char *word = cell->text + sign;
    size_t size = cell->size - sign;
    if (!is_word(word, size, "inf") && !is_word(word, size, "infinity"))
        return false;
    *value = sign && *cell->text == '-' ? -HUGE_VAL : HUGE_VAL;
    return true;
}

/* The bytes of a mark between groups that stand at a place: for the blank also the narrow ones and those that do not
 * break a line, for the apostrophe also the typographic one. 0: none. */
static size_t mark_size(char mark, const char *text, size_t size)
{
    static const char *const other[][4] = {{" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"},
                                           {"'", "\xe2\x80\x99", NULL, NULL}};
    if (!mark || *text == mark)
        return mark != 0;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 1; k < 4 && other[i][k] && *other[i][0] == mark; k++)
            if (size >= strlen(other[i][k]) && memcmp(text, other[i][k], strlen(other[i][k])) == 0)
                return strlen(other[i][k]);
    return 0;
}

/* Takes the marks between groups of three digits out and makes the decimal mark a point. False: no such number. */
static bool plain_form(const CellFormat *format, const Cell *cell, char *out, size_t *size)
{
    size_t digits = 0, to = 0;
    bool grouped = false, fraction = false;
    if (cell->size > 400)
        return false;
    for (size_t i = 0; i < cell->size; i++) {
        char c = cell->text[i];
        bool digit = c >= '0' && c <= '9';
        size_t mark = fraction ? 0 : mark_size(format->thousands, cell->text + i, cell->size - i);
        if (mark > 0) {
            if (digits == 0 || digits > 3 || (grouped && digits != 3))
                return false;
            grouped = true;
            digits = 0;
            i += mark - 1;
            continue;
        }
        if (c == format->decimal || !digit) {
            if (grouped && !fraction && digits != 3)
                return false;
            fraction |= c == format->decimal || (digits > 0 && !digit);
        }
        if (c == '.' && format->decimal != '.')
            return false;
        digits += digit;
        out[to++] = (char)(c == format->decimal ? '.' : c);
    }
    *size = to;
    return !grouped || fraction || digits == 3;
}

static bool read_plain(const Cell *cell, const char *limit, double *value)
{
    return cell_plain_number(cell, limit, value) || anb_number_parse_all(cell->text, cell->size, value) == 0;
}

static bool read_local(const CellFormat *format, const Cell *cell, double *value)
{
    char text[402];
    size_t size;
    return plain_form(format, cell, text, &size) && anb_number_parse_all(text, size, value) == 0;
}

void cell_format_ready(CellFormat *format)
{
    const char *words = format->missing;
    format->local = format->decimal != '.' || format->thousands || (words && strpbrk(words, "0123456789"));
}

bool cell_number(const CellFormat *format, const Cell *cell, const char *limit, double *value)
{
    if (!format->local && read_plain(cell, limit, value))
        return true;
    Cell inner = cell_trim(*cell);
    if (cell_missing(format, &inner)) {
        *value = ANB_NAN;
        return true;
    }
    bool signed_nan =
        inner.size == 4 && (*inner.text == '-' || *inner.text == '+') && is_word(inner.text + 1, 3, "nan");
    if (signed_nan)
        *value = ANB_NAN;
    if (signed_nan || is_infinite(&inner, value))
        return true;
    return format->local ? read_local(format, &inner, value) : read_plain(&inner, limit, value);
}
