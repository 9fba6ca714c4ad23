/* A command's options by name, from its tables. */
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const Option common_options[] = {
    {'c', "config", "FILE", "take options from a TOML file, e.g. target = \"price\"; those on the command line win"},
    {0, "print-config", NULL, "print the options as such a file and exit"},
    {0}};

const Option *option_of(const Command *command, size_t i)
{
    const Option *tables[] = {command->options, command->shared, common_options};
    for (size_t t = 0; t < 3; t++)
        for (const Option *option = tables[t]; option && option->name; option++)
            if (i-- == 0)
                return option;
    return NULL;
}

const char *option_value(const Arguments *arguments, const char *name)
{
    const Option *option;
    for (size_t i = 0; (option = option_of(arguments->command, i)); i++)
        if (strcmp(option->name, name) == 0)
            return arguments->value[i];
    return NULL;
}

/* The last value counts, but for lists, which grow. */
int option_set(Arguments *arguments, size_t i, const char *value)
{
    char *old = arguments->value[i];
    bool joined = old && option_of(arguments->command, i)->list;
    size_t size = strlen(value) + (joined ? strlen(old) : 0) + 2;
    char *text = malloc(size);
    if (!text)
        return complain(BAD_DATA, "out of memory");
    snprintf(text, size, "%s%s%s", joined ? old : "", joined ? "," : "", value);
    free(old);
    arguments->value[i] = text;
    return 0;
}
