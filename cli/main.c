/*
 * anabranch COMMAND ...: finds the command, takes its line apart, runs it.
 */
#include "cli.h"
#include "config.h"
#include "json.h"
#include "nearest.h"
#include <anabranch/anabranch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND(name) extern const Command command_##name;
#include "commands.inc"
#undef COMMAND

static const Command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "commands.inc"
#undef COMMAND
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static int program_help(void)
{
    printf("anabranch %s: regression on streams by mixtures of experts\n\n", anb_version());
    printf("Usage: anabranch COMMAND [OPTION]... [FILE]\n\nCommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->brief);
    printf("\n`anabranch COMMAND --help` shows the options of a command. Exit status: 0 success, 1 bad data, 2 wrong "
           "use.\n");
    return finish_stdout(EXIT_SUCCESS);
}

static void print_option(const Option *option)
{
    char left[64];
    snprintf(left, sizeof left, "%c%c%s --%s%s%s", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
             option->letter ? "," : " ", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    printf("  %-26s %s\n", left, option->help);
}

static int command_help(const Command *command)
{
    const Option *option;
    printf("%s\n\nUsage: anabranch %s [OPTION]... %s\n", command->brief, command->name, command->operands);
    if (command->options->name)
        printf("\nOptions:\n");
    for (size_t i = 0; (option = option_of(command, i)); i++) {
        if (option == command->shared)
            printf("\nHow the table is read:\n");
        if (option == common_options)
            printf("\nIn every command:\n");
        print_option(option);
    }
    printf("  %-26s %s\n", "-h, --help", "this text");
    if (command->more_help)
        command->more_help();
    return finish_stdout(EXIT_SUCCESS);
}

/* ---- for programs: what man pages and completions are made from -------------------------------------------------- */

static void json_option(Json *json, const Option *option)
{
    char letter[] = {option->letter, 0};
    json_open(json, NULL, '{');
    json_text(json, "name", option->name);
    if (option->letter)
        json_text(json, "letter", letter);
    if (option->argument)
        json_text(json, "argument", option->argument);
    if (option->alias)
        json_text(json, "alias", option->alias);
    json_text(json, "help", option->help);
    json_close(json, '}');
}

static int help_as_json(void)
{
    Json json = {stdout, false};
    json_open(&json, NULL, '{');
    json_text(&json, "version", anb_version());
    json_open(&json, "commands", '[');
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const Option *option;
        json_open(&json, NULL, '{');
        json_text(&json, "name", commands[i]->name);
        json_text(&json, "brief", commands[i]->brief);
        json_text(&json, "operands", commands[i]->operands);
        json_open(&json, "options", '[');
        for (size_t k = 0; (option = option_of(commands[i], k)); k++)
            json_option(&json, option);
        json_close(&json, ']');
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    putchar('\n');
    return finish_stdout(EXIT_SUCCESS);
}

/* ---- a command line ---------------------------------------------------------------------------------------------- */

enum { LONG = 256 }; /* a long option's code is LONG + its index; an alias's LONG + MAX_OPTIONS + the index */

/* getopt's two tables from the command's. Help returns 'h'. */
static void getopt_tables(const Command *command, struct option *longs, char *shorts)
{
    const Option *option;
    *shorts++ = ':';
    for (int i = 0; (option = option_of(command, (size_t)i)); i++) {
        *longs++ = (struct option){option->name, option->argument != NULL, NULL, LONG + i};
        if (option->alias)
            *longs++ = (struct option){option->alias, option->argument != NULL, NULL, LONG + MAX_OPTIONS + i};
        if (option->letter) {
            *shorts++ = option->letter;
            if (option->argument)
                *shorts++ = ':';
        }
    }
    *longs++ = (struct option){"help", 0, NULL, 'h'};
    *longs = (struct option){0};
    memcpy(shorts, "h", 2);
}

static size_t index_of(const Command *command, int code)
{
    const Option *option;
    if (code >= LONG)
        return (size_t)(code - LONG) % MAX_OPTIONS;
    size_t i = 0;
    while ((option = option_of(command, i)) && option->letter != code)
        i++;
    return i;
}

/* getopt sets the letter of a short option, or the code of a long one that takes no value and was given one. */
static int unknown_option(const Command *command, const char *word)
{
    if (optopt >= LONG)
        return complain(BAD_USE, "%s: option --%s takes no value", command->name,
                        option_of(command, index_of(command, optopt))->name);
    char letter[] = {'-', (char)optopt, 0}, hint[HINT_SIZE];
    Nearest nearest = {.word = optopt ? "" : word + strspn(word, "-")};
    const Option *option;
    for (size_t i = 0; !optopt && (option = option_of(command, i)); i++)
        nearest_try(&nearest, option->name);
    return complain(BAD_USE, "%s: unknown option %s%s; see `anabranch %s --help`", command->name,
                    optopt ? letter : word, nearest_hint(&nearest, hint), command->name);
}

static int take_apart(const Command *command, int argc, char **argv, Arguments *arguments, bool *help)
{
    struct option longs[2 * MAX_OPTIONS + 2];
    char shorts[2 * MAX_OPTIONS + 4];
    int code, status = 0;
    getopt_tables(command, longs, shorts);
    opterr = 0;
    while (!status && (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (code == ':')
            return complain(BAD_USE, "%s: option %s needs a value", command->name, argv[optind - 1]);
        if (code == '?')
            return unknown_option(command, argv[optind - 1]);
        if (code == 'h')
            *help = true;
        else
            status = option_set(arguments, index_of(command, code), optarg ? optarg : "");
    }
    arguments->operand = argv + optind;
    arguments->operands = argc - optind;
    return status;
}

/* With its options complete. */
static int run_command(Arguments *arguments)
{
    const Command *command = arguments->command;
    int status = config_read(arguments, commands, N_COMMANDS);
    if (status)
        return status;
    if (option_value(arguments, "print-config")) {
        config_print(arguments);
        return finish_stdout(EXIT_SUCCESS);
    }
    if (arguments->operands < command->min_operands || arguments->operands > command->max_operands)
        return complain(BAD_USE, "%s; usage: anabranch %s [OPTION]... %s",
                        arguments->operands < command->min_operands ? "something is missing" : "too many words",
                        command->name, command->operands);
    return finish_stdout(command->run(arguments));
}

static int run(const Command *command, int argc, char **argv)
{
    Arguments arguments = {.command = command};
    bool help = false;
    int status = take_apart(command, argc, argv, &arguments, &help);
    if (!status)
        status = help ? command_help(command) : run_command(&arguments);
    for (size_t i = 0; i < MAX_OPTIONS; i++)
        free(arguments.value[i]);
    return status;
}

static int unknown_command(const char *name)
{
    char hint[HINT_SIZE];
    Nearest nearest = {.word = name};
    for (size_t i = 0; i < N_COMMANDS; i++)
        nearest_try(&nearest, commands[i]->name);
    if (strcmp(name, "serve") == 0)
        return complain(BAD_USE,
                        "this program was built without libmicrohttpd or jansson, or for a wheel of Python: it "
                        "cannot serve");
    return complain(BAD_USE, "unknown command \"%s\"%s; see `anabranch --help`", name, nearest_hint(&nearest, hint));
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write, not the end */
    if (argc < 2)
        return complain(BAD_USE, "which command? See `anabranch --help`");
    bool help = strcmp(argv[1], "help") == 0;
    if (help && argc == 3 && strcmp(argv[2], "--json") == 0)
        return help_as_json();
    if ((help && argc == 2) || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return program_help();
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("anabranch %s\n", anb_version());
        return finish_stdout(EXIT_SUCCESS);
    }
    const char *name = argv[help ? 2 : 1];
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return help ? command_help(commands[i]) : run(commands[i], argc - 1, argv + 1);
    return unknown_command(name);
}
