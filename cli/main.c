/*
 * anabranch COMMAND ...: finds the command, takes its line apart, runs it.
 */
#include "cli.h"
#include <anabranch/anabranch.h>
#include <getopt.h>
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
    printf("\n`anabranch COMMAND --help` says more. Exit status: 0 success, 1 bad data, 2 wrong use.\n");
    return finish_stdout(EXIT_SUCCESS);
}

static int command_help(const Command *command)
{
    printf("%s\n\nUsage: anabranch %s [OPTION]... %s\n\nOptions:\n", command->brief, command->name, command->operands);
    for (const Option *option = command->options; option->name; option++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%s --%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter ? "," : " ", option->name,
                 option->argument ? " " : "", option->argument ? option->argument : "");
        printf("  %-26s %s\n", left, option->help);
    }
    printf("  %-26s %s\n", "-h, --help", "this text");
    if (command->more_help)
        command->more_help();
    return finish_stdout(EXIT_SUCCESS);
}

/* getopt's two tables from the command's one. Long options return 256 + their index, help returns 'h'. */
static void getopt_tables(const Command *command, struct option *longs, char *shorts)
{
    size_t i = 0;
    *shorts++ = ':';
    for (; command->options[i].name; i++) {
        const Option *option = &command->options[i];
        longs[i] = (struct option){option->name, option->argument != NULL, NULL, (int)(256 + i)};
        if (option->letter) {
            *shorts++ = option->letter;
            if (option->argument)
                *shorts++ = ':';
        }
    }
    longs[i++] = (struct option){"help", 0, NULL, 'h'};
    longs[i] = (struct option){0};
    memcpy(shorts, "h", 2);
}

static int index_of(const Command *command, int code)
{
    for (int i = 0; code < 256 && command->options[i].name; i++)
        if (command->options[i].letter == code)
            return i;
    return code - 256;
}

/* getopt tells the letter of a short option, or the code of a long one that takes no value and was given one. */
static int unknown_option(const Command *command, const char *word)
{
    if (optopt >= 256)
        return complain(BAD_USE, "%s: option --%s takes no value", command->name, command->options[optopt - 256].name);
    char letter[] = {'-', (char)optopt, 0};
    return complain(BAD_USE, "%s: unknown option %s; see `anabranch %s --help`", command->name, optopt ? letter : word,
                    command->name);
}

static int take_apart(const Command *command, int argc, char **argv, Arguments *arguments, bool *help)
{
    struct option longs[MAX_OPTIONS + 2];
    char shorts[2 * MAX_OPTIONS + 4];
    int code;
    getopt_tables(command, longs, shorts);
    opterr = 0;
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (code == ':')
            return complain(BAD_USE, "%s: option %s needs a value", command->name, argv[optind - 1]);
        if (code == '?')
            return unknown_option(command, argv[optind - 1]);
        if (code == 'h')
            *help = true;
        else
            arguments->value[index_of(command, code)] = optarg ? optarg : "";
    }
    arguments->operand = argv + optind;
    arguments->operands = argc - optind;
    return 0;
}

static int run(const Command *command, int argc, char **argv)
{
    Arguments arguments = {0};
    bool help = false;
    int status = take_apart(command, argc, argv, &arguments, &help);
    if (status)
        return status;
    if (help)
        return command_help(command);
    if (arguments.operands < command->min_operands || arguments.operands > command->max_operands)
        return complain(BAD_USE, "usage: anabranch %s [OPTION]... %s", command->name, command->operands);
    return finish_stdout(command->run(&arguments));
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return complain(BAD_USE, "which command? See `anabranch --help`");
    bool help = strcmp(argv[1], "help") == 0;
    if ((help && argc == 2) || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return program_help();
    if (strcmp(argv[1], "--version") == 0) {
        printf("anabranch %s\n", anb_version());
        return finish_stdout(EXIT_SUCCESS);
    }
    const char *name = argv[help ? 2 : 1];
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return help ? command_help(commands[i]) : run(commands[i], argc - 1, argv + 1);
    return complain(BAD_USE, "unknown command \"%s\"; see `anabranch --help`", name);
}
