/* Errors: one bounded message in the caller's hands. */
#include <anabranch/type.h>
#include <stdarg.h>
#include <stdio.h>

const char *anb_error_text(int code)
{
    switch (code) {
#define ANB_ERROR_TEXT(name, number, text)                                                                             \
    case name:                                                                                                         \
        return text;
        ANB_ERRORS(ANB_ERROR_TEXT)
#undef ANB_ERROR_TEXT
    default:
        return "an unknown error code";
    }
}

int anb_fail(AnbError *error, int code, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        error->code = code;
        error->position = 0; /* the caller may set it afterwards */
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return code;
}
