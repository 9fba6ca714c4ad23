#include "skipped.h"
#include "output.h"
#include <errno.h>
#include <string.h>

int skipped_open(FILE **skipped, const char *path)
{
    int status = output_direct(skipped, path);
    if (!status)
        fputs("line,problem,cells\n", *skipped);
    return status;
}

/* A cell as CSV has it, in quotes where it must be. */
void csv_put(FILE *file, const char *text, size_t size)
{
    bool quotes = false;
    for (size_t i = 0; i < size; i++)
        quotes |= strchr("\",\r\n", text[i]) != NULL || text[i] == ' ';
    if (quotes)
        fputc('"', file);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            fputc('"', file);
        fputc(text[i], file);
    }
    if (quotes)
        fputc('"', file);
}

void skipped_add(FILE *skipped, const Table *table)
{
    if (!skipped)
        return;
    fprintf(skipped, "%llu,", (unsigned long long)table->line);
    csv_put(skipped, table->problem, strlen(table->problem));
    for (size_t i = 0; i < table->cells; i++) {
        fputc(',', skipped);
        csv_put(skipped, table->cell[i].text, table->cell[i].size);
    }
    fputc('\n', skipped);
    fflush(skipped);
}

int skipped_close(FILE *skipped)
{
    return skipped ? output_direct_close(skipped, "--bad-rows") : 0;
}
