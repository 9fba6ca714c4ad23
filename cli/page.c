#include "page.h"
#include "chart.h"
#include "page_text.inc"

static void put_lines(FILE *out, const char *const *line)
{
    for (; *line; line++)
        fputs(*line, out);
}

void page_open(FILE *out, const char *title)
{
    fprintf(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    put_html(out, title);
    fprintf(out, "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n");
    put_lines(out, style);
    for (int i = 0; i < CHART_COLOURS; i++)
        fprintf(
            out,
            "i.c%d{background:var(--c%d)}path.line.c%d,path.dots.c%d{stroke:var(--c%d)}path.area.c%d{fill:var(--c%d)}"
            "\n",
            i, i, i, i, i, i, i);
    fprintf(out, "</style></head>\n<body><main>\n");
}

void page_close(FILE *out)
{
    fprintf(out, "<script>\n");
    put_lines(out, script);
    fprintf(out, "</script>\n</main></body></html>\n");
}
