/* The format of a table: from options, or guessed from its first lines. */
#ifndef ANB_CLI_DIALECT_H
#define ANB_CLI_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The delimiter that is a run of blanks and tabs. */
#define BLANKS ' '

typedef struct Dialect {
    char delimiter;      /* of CSV: one of , ; tab | blanks, or any other ASCII character; 0: guessed */
    const char *comment; /* lines that begin with it are skipped; NULL: none */
    uint64_t skip_lines; /* lines before the first record that are not looked at */
} Dialect;

/**
 * The delimiter that both records have equally often, the most frequent of them; where there is none, the one that
 * the first record has most of. Blanks only where the first has nothing else. What stands in quotes does not count.
 *
 * @param first, n1   the first record without its line end
 * @param second, n2  the next one; NULL and 0 where there is none
 */
char guess_delimiter(const char *first, size_t n1, const char *second, size_t n2);

/* Whether a character may be given as the delimiter. */
bool can_delimit(char c);

/* The delimiter of a line before the header as Excel takes it, `sep=;` or `"sep=;"`, also `sep=\t` in letters; 0 where
 * it is none. */
char named_delimiter(const char *line, size_t n);

/* Where a reader stands in a record. A quote means something only where a cell begins, blanks before it apart, and
 * inside a cell that began so. */
enum Place { CELL, PLAIN, QUOTED, QUOTE /* behind a quote in a quoted cell */ };

/* The place behind c; delimiter 0: any of , ; tab |. */
enum Place next_place(enum Place place, char c, char delimiter);

/* Whether c is a blank around cells that does not count, where cells are separated by the delimiter. */
static inline bool is_blank(char c, char delimiter)
{
    return c == ' ' || (c == '\t' && delimiter != '\t');
}

#endif
