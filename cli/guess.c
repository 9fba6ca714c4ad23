#include "guess.h"
#include <math.h>
#include <stdio.h>

static void count_cell(Guess *guess, const CellFormat *format, const Cell *cell, uint64_t line)
{
    double value;
    Cell inner = cell_trim(*cell);
    if (cell_missing(format, &inner)) {
        guess->missing++;
    } else if (cell_number(format, &inner, NULL, &value)) {
        guess->numbers++;
    } else if (guess->texts++ == 0) {
        guess->line = line;
        snprintf(guess->text, sizeof guess->text, "%.*s", (int)(inner.size < 40 ? inner.size : 40), inner.text);
    }
}

static bool all_numbers(const Table *table, const Cell *cell, const CellFormat *format)
{
    for (size_t i = 0; cell && i < table->columns; i++) {
        Guess one = {0};
        count_cell(&one, format, &cell[i], 0);
        if (one.numbers == 0)
            return false;
    }
    return cell != NULL;
}

int guess_columns(Table *table, const CellFormat *format, size_t rows, Guess *guess)
{
    uint64_t line;
    int status = table_look_ahead(table, 1);
    bool enough = !status && table_is_live(table) && table_rows_ahead(table) == 1 &&
                  all_numbers(table, table_ahead(table, 0, &line), format);
    if (!status && !enough)
        status = table_look_ahead(table, rows);
    for (size_t row = 0; !status && row < table_rows_ahead(table); row++) {
        const Cell *cell = table_ahead(table, row, &line);
        for (size_t i = 0; cell && i < table->columns; i++)
            count_cell(&guess[i], format, &cell[i], line);
    }
    return status;
}

bool guess_is_text(const Guess *guess)
{
    size_t few = (guess->numbers + guess->texts) / 20;
    return guess->texts > 0 && (guess->texts > (few > 1 ? few : 1) || guess->texts >= guess->numbers);
}
