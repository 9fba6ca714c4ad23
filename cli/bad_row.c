/* The reason why a row is bad, for the readers of CSV, JSON Lines and tables. */
#include "cli.h"
#include <stdarg.h>
#include <stdio.h>

int bad_row(char *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, PROBLEM_SIZE, format, arguments);
    va_end(arguments);
    return BAD_ROW;
}
