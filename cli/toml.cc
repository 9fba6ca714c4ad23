// The one file in C++: toml++ has no interface in C.
#include "toml.h"
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <toml++/toml.h>

namespace
{

using Visit = int (*)(void *, const TomlItem *);

// The shortest text that reads back as the same number.
void write_number(double value, std::ostringstream &out)
{
    char text[32];
    out.write(text, std::to_chars(text, text + sizeof text, value).ptr - text);
}

// A text or a number as an option takes it; false where the node is neither.
bool write_plain(const toml::node &node, std::ostringstream &out)
{
    if (auto text = node.as_string())
        out << text->get();
    else if (auto whole = node.as_integer())
        out << whole->get();
    else if (auto number = node.as_floating_point())
        write_number(number->get(), out);
    else
        return false;
    return true;
}

// Parts with a comma would be taken for two.
bool write_list(const toml::array &list, std::ostringstream &out)
{
    const char *between = "";
    for (const toml::node &part : list) {
        auto text = part.as_string();
        out << between;
        if (!write_plain(part, out) || (text && text->get().find(',') != std::string::npos))
            return false;
        between = ",";
    }
    return true;
}

TomlKind value_of(const toml::node &node, std::string &text)
{
    std::ostringstream out;
    TomlKind kind = TOML_OTHER;
    if (node.is_table())
        kind = TOML_TABLE;
    else if (auto flag = node.as_boolean()) {
        out << (flag->get() ? "true" : "false");
        kind = TOML_FLAG;
    } else if (auto list = node.as_array())
        kind = write_list(*list, out) ? TOML_LIST : TOML_OTHER;
    else if (write_plain(node, out))
        kind = TOML_VALUE;
    text = out.str();
    return kind;
}

int visit_keys(const toml::table &table, const char *name, Visit visit, void *context)
{
    int status = 0;
    for (auto &&[key, node] : table) {
        std::string word(key.str()), text;
        TomlKind kind = value_of(node, text);
        auto at = key.source().begin;
        const TomlItem item = {name, word.c_str(), kind, text.c_str(), at.line, at.column};
        status = visit(context, &item);
        if (status)
            break;
    }
    return status;
}

int visit_all(const toml::table &file, Visit visit, void *context)
{
    int status = visit_keys(file, "", visit, context);
    for (auto &&[key, node] : file)
        if (auto table = node.as_table(); table && !status)
            status = visit_keys(*table, std::string(key.str()).c_str(), visit, context);
    return status;
}

} // namespace

int toml_read(const char *path, Visit visit, void *context, TomlProblem *problem)
{
    *problem = {};
    try {
        if (std::filesystem::is_directory(path))
            throw std::runtime_error("is a folder");
        return visit_all(toml::parse_file(path), visit, context);
    } catch (const toml::parse_error &error) {
        auto at = error.source().begin;
        std::snprintf(problem->message, sizeof problem->message, "%s", std::string(error.description()).c_str());
        problem->line = at.line;
        problem->column = at.column;
    } catch (const std::exception &error) {
        std::snprintf(problem->message, sizeof problem->message, "%s", error.what());
    }
    return -1;
}
