/*
 * Options from a TOML file. A key is an option's long name; keys in the table of a command are for that command, those
 * before every table for each command that has the option. The command line wins over a table, a table over the top.
 */
#ifndef ANB_CLI_CONFIG_H
#define ANB_CLI_CONFIG_H

#include "cli.h"

/*
 * Sets options from the file of --config that the command line does not set. Every key has to be an option of some
 * command. 0, or the exit status with the message printed.
 *
 * commands: all n of them
 */
int config_read(Arguments *arguments, const Command *const *commands, size_t n);

/* Prints the options in effect as a TOML file that --config reads; those not given as comments, with their help. */
void config_print(const Arguments *arguments);

#endif
