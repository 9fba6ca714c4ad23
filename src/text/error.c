/* Errors: one bounded message in the caller's hands. */
#include <anabranch/type.h>
#include <anabranch/utf8.h>
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

/* Puts `?` for bytes of no character: what is quoted may be cut in the middle of one, or be in another encoding. */
static void mend(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p;) {
        size_t n = anb_utf8_character(p);
        if (n == 0 || *p < ' ')
            *p = '?';
        p += n > 0 ? n : 1;
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
        mend(error->message);
    }
    return code;
}
