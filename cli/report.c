/* anabranch report: the records of `eval --diag` as one page. */
#include "cli.h"
#include "output.h"
#include "records.h"
#include "report_page.h"
#include <stdio.h>

static const Option options[] = {{'o', "output", "OUT.html", "where the page goes; default: standard output"}, {0}};

static int run_report(const Arguments *a)
{
    const char *path = a->operand[0], *output_path = option_value(a, "output") ? option_value(a, "output") : "-";
    Output output = {0};
    FILE *in;
    int status = outputs_apart(&output_path, 1, &path, 1);
    status = status ? status : records_open(&in, path);
    if (status)
        return status;
    status = output_open(&output, output_path);
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
