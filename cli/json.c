#include "json.h"
#include <anabranch/number.h>
#include <math.h>

/* Bytes of the UTF-8 character that begins at p: 0 where none does. Unicode 15, table 3-7. */
static int character_bytes(const unsigned char *p)
{
    int n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    unsigned char least = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    unsigned char most = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    for (int i = 1; i < n; i++, least = 0x80, most = 0xbf)
        if (p[i] < least || p[i] > most)
            return 0;
    return n;
}

/* UTF-8 passes as it is; control characters are escaped, and a byte of no character becomes U+FFFD. */
static void put_text(FILE *file, const char *text)
{
    putc('"', file);
    int n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p += n > 0 ? n : 1) {
        n = character_bytes(p);
        if (n == 0)
            fputs("\\ufffd", file);
        else if (*p == '"' || *p == '\\')
            fprintf(file, "\\%c", *p);
        else if (*p < ' ' || *p == 127)
            fprintf(file, "\\u%04x", *p);
        else
            fwrite(p, 1, (size_t)n, file);
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
