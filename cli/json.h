/* JSON on one line: commas are put where they belong; what is not finite is null. */
#ifndef ANB_CLI_JSON_H
#define ANB_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Json {
    FILE *file;
    bool comma; /* something stands before in this object or list */
} Json;

/* key is NULL inside a list. */
void json_open(Json *json, const char *key, char bracket);
void json_close(Json *json, char bracket);
void json_number(Json *json, const char *key, double value);
void json_count(Json *json, const char *key, uint64_t value);
void json_bool(Json *json, const char *key, bool value);
void json_text(Json *json, const char *key, const char *value);

#endif
