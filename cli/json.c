#include "json.h"
#include <anabranch/number.h>
#include <anabranch/utf8.h>
#include <math.h>

/* UTF-8 passes as it is; control characters are escaped, and a byte of no character becomes U+FFFD. */
static void put_text(FILE *file, const char *text)
{
    putc('"', file);
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p += n > 0 ? n : 1) {
        n = anb_utf8_character(p);
        if (n == 0)
            fputs("\\ufffd", file);
        else if (*p == '"' || *p == '\\')
            fprintf(file, "\\%c", *p);
        else if (*p < ' ' || *p == 127)
            fprintf(file, "\\u%04x", *p);
        else
            fwrite(p, 1, n, file);
    }
    putc('"', file);
}

static void begin(Json *json, const char *key)
{
    if (json->comma)
        fputs(", ", json->file);
    if (key) {
        put_text(json->file, key);
        fputs(": ", json->file);
    }
    json->comma = true;
}

void json_open(Json *json, const char *key, char bracket)
{
    begin(json, key);
    putc(bracket, json->file);
    json->comma = false;
}

void json_close(Json *json, char bracket)
{
    putc(bracket, json->file);
    json->comma = true;
}

void json_number(Json *json, const char *key, double value)
{
    char text[ANB_NUMBER_SIZE] = "null";
    if (isfinite(value))
        anb_number_format(value, text);
    begin(json, key);
    fputs(text, json->file);
}

void json_count(Json *json, const char *key, uint64_t value)
{
    begin(json, key);
    fprintf(json->file, "%llu", (unsigned long long)value);
}

void json_bool(Json *json, const char *key, bool value)
{
    begin(json, key);
    fputs(value ? "true" : "false", json->file);
}

void json_text(Json *json, const char *key, const char *value)
{
    begin(json, key);
    put_text(json->file, value);
}
