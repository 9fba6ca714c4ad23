#include "config.h"
#include "nearest.h"
#include "toml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_common(const Option *option)
{
    for (const Option *common = common_options; common->name; common++)
        if (common == option)
            return true;
    return false;
}

#ifdef HAVE_TOML
typedef struct Reading {
    Arguments *arguments;
    const char *path;
    const Command *const *commands;
    size_t n;
    bool given[MAX_OPTIONS]; /* on the command line */
} Reading;

static const Command *command_called(const Reading *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->commands[i]->name, name) == 0)
            return r->commands[i];
    return NULL;
}

/* The option that a key names, and its place; NULL: none. The two options about the file itself have no place in it. */
static const Option *option_called(const Command *command, const char *key, size_t *place)
{
    const Option *option;
    for (*place = 0; (option = option_of(command, *place)) && !is_common(option); ++*place)
        if (strcmp(option->name, key) == 0 || (option->alias && strcmp(option->alias, key) == 0))
            return option;
    return NULL;
}

static int complain_at(const Reading *r, const TomlItem *item, const char *what, const char *hint)
{
    const char *table = *item->table ? item->table : "anabranch";
    return complain(BAD_USE, "%s:%u:%u: %s %s \"%s\"%s", r->path, item->line, item->column, table, what, item->key,
                    hint);
}

static void try_options(Nearest *nearest, const Command *command)
{
    const Option *option;
    for (size_t i = 0; (option = option_of(command, i)) && !is_common(option); i++)
        nearest_try(nearest, option->name);
}

/* command NULL: options of all commands are looked through. */
static int unknown_key(const Reading *r, const TomlItem *item, const Command *command)
{
    char hint[HINT_SIZE];
    Nearest nearest = {.word = item->key};
    for (size_t i = 0; i < r->n; i++)
        if (!command || command == r->commands[i])
            try_options(&nearest, r->commands[i]);
    return complain_at(r, item, "has no option", nearest_hint(&nearest, hint));
}

static int unknown_table(const Reading *r, const TomlItem *item)
{
    char hint[HINT_SIZE];
    Nearest nearest = {.word = item->key};
    for (size_t i = 0; i < r->n; i++)
        nearest_try(&nearest, r->commands[i]->name);
    return complain_at(r, item, "has no command", nearest_hint(&nearest, hint));
}

/* A flag takes true and false, a list one value or several, the others one value. */
static int check_kind(const Reading *r, const TomlItem *item, const Option *option)
{
    if (!option->argument)
        return item->kind == TOML_FLAG ? 0 : complain_at(r, item, "takes true or false for", "");
    if (option->list && (item->kind == TOML_LIST || item->kind == TOML_VALUE))
        return 0;
    if (option->list)
        return complain_at(r, item, "takes a list of texts without commas for", "");
    return item->kind == TOML_VALUE ? 0 : complain_at(r, item, "takes a text or a number for", "");
}

static int set_item(Reading *r, const TomlItem *item, const Option *option, size_t place)
{
    if (r->given[place] || (!option->argument && strcmp(item->text, "false") == 0))
        return 0;
    free(r->arguments->value[place]);
    r->arguments->value[place] = NULL;
    return option_set(r->arguments, place, option->argument ? item->text : "");
}

/* A table's name, or a key before every table: an option of some command, set where this one has it. */
static int visit_top(Reading *r, const TomlItem *item)
{
    size_t place;
    if (item->kind == TOML_TABLE)
        return command_called(r, item->key) ? 0 : unknown_table(r, item);
    const Option *option = option_called(r->arguments->command, item->key, &place);
    for (size_t i = 0; i < r->n && !option; i++)
        if ((option = option_called(r->commands[i], item->key, &place)))
            return check_kind(r, item, option);
    if (!option)
        return unknown_key(r, item, NULL);
    int status = check_kind(r, item, option);
    return status ? status : set_item(r, item, option, place);
}

static int visit(void *context, const TomlItem *item)
{
    Reading *r = context;
    size_t place;
    if (!*item->table)
        return visit_top(r, item);
    const Command *command = command_called(r, item->table);
    const Option *option = option_called(command, item->key, &place);
    if (!option)
        return unknown_key(r, item, command);
    int status = check_kind(r, item, option);
    return status || command != r->arguments->command ? status : set_item(r, item, option, place);
}

int config_read(Arguments *arguments, const Command *const *commands, size_t n)
{
    Reading reading = {.arguments = arguments, .path = option_value(arguments, "config"), .commands = commands, .n = n};
    TomlProblem problem;
    if (!reading.path)
        return 0;
    for (size_t i = 0; i < MAX_OPTIONS; i++)
        reading.given[i] = arguments->value[i] != NULL;
    int status = toml_read(reading.path, visit, &reading, &problem);
    if (status != -1)
        return status;
    if (problem.line == 0)
        return complain(BAD_USE, "%s: %s", reading.path, problem.message);
    return complain(BAD_USE, "%s:%u:%u: %s", reading.path, problem.line, problem.column, problem.message);
}
#else
int config_read(Arguments *arguments, const Command *const *commands, size_t n)
{
    (void)commands, (void)n;
    return option_value(arguments, "config")
               ? complain(BAD_USE, "this program was built without toml++ and cannot read --config FILE")
               : 0;
}
#endif

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* A text between quotes, as TOML has it. */
static void print_text(const char *text, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ' || c == 127)
            printf("\\u%04X", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_list(const char *text)
{
    const char *between = "[";
    for (size_t n; *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        fputs(between, stdout);
        print_text(text, n);
        between = ", ";
    }
    puts(*between == '[' ? "[]" : "]");
}

/* Digits alone are a number; anything else is read back as the same text. */
static void print_value(const Option *option, const char *value)
{
    bool number =
        *value && strspn(value, "0123456789") == strlen(value) && strlen(value) < 18 && (*value != '0' || !value[1]);
    printf("%s = ", option->name);
    if (!option->argument)
        puts("true");
    else if (option->list)
        print_list(value);
    else if (number)
        puts(value);
    else {
        print_text(value, strlen(value));
        putchar('\n');
    }
}

void config_print(const Arguments *arguments)
{
    const Option *option;
    printf("[%s]\n", arguments->command->name);
    for (size_t i = 0; (option = option_of(arguments->command, i)) && !is_common(option); i++) {
        printf("# %s%s%s: %s\n", option->name, option->argument ? " " : "", option->argument ? option->argument : "",
               option->help);
        if (arguments->value[i])
            print_value(option, arguments->value[i]);
    }
}
