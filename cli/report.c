/* anabranch report: the records of `eval --diag` as one page. */
#include "cli.h"
#include "output.h"
#include "report_page.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const Option options[] = {{'o', "output", "OUT.html", "where the page goes; default: standard output"}, {0}};

static int run_report(const Arguments *a)
{
    const char *path = a->operand[0], *output_path = option_value(a, "output");
    Output output = {0};
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!in)
        return complain(BAD_USE, "%s: %s", path, strerror(errno));
    int status = output_open(&output, output_path ? output_path : "-");
    if (!status)
        status = report_page(in, path, output.file);
    int written = output_close(&output, status == 0);
    if (in != stdin)
        fclose(in);
    return status ? status : written;
}

static void more_help(void)
{
    printf("\nFILE is JSON Lines from `anabranch eval --diag FILE.jsonl`; - is standard input. The page needs no "
           "network.\n");
}

const Command command_report = {
    "report", "the records of `eval --diag` as one page of HTML", "FILE.jsonl|-", options, 1, 1, run_report, more_help};
