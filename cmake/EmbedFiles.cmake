# cmake -DOUTPUT=file.cpp -DFOLDER=folder -DFILES="a;b" -P EmbedFiles.cmake: writes the table of metrics/console_files.hpp.
# As raw strings: they keep the bytes, and the compiler takes them faster than lists of numbers.
set(delimiter "pawl_file")
set(rows "")
foreach(name IN LISTS FILES)
  file(READ "${FOLDER}/${name}" text)
  file(SHA256 "${FOLDER}/${name}" hash)
  file(SIZE "${FOLDER}/${name}" size)
  string(FIND "${text}" ")${delimiter}\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${name} contains the end of a raw string, )${delimiter}\"")
  endif()
  string(SUBSTRING "${hash}" 0 32 hash)
  string(REGEX REPLACE "^.*/" "" file "${name}")
  string(APPEND rows "    {\"${file}\", \"\\\"${hash}\\\"\", ${size},\nR\"${delimiter}(${text})${delimiter}\"},\n")
endforeach()
file(
  WRITE "${OUTPUT}.new"
  "// Written by cmake/EmbedFiles.cmake.
#include \"metrics/console_files.hpp\"

namespace pawl {
namespace {

struct embedded {
  console_file file;
  constexpr embedded(std::string_view name, std::string_view etag, std::size_t size, std::string_view text)
      : file{name, etag, text} {
    // Embedding must not change a byte: the tag is of the file itself.
    if (text.size() != size) throw \"a file was not embedded as it is\";
  }
};
constexpr embedded table[]{
${rows}};

}  // namespace

std::optional<console_file> find_console_file(std::string_view name) noexcept {
  for (const auto& row : table)
    if (row.file.name == name) return row.file;
  return std::nullopt;
}

}  // namespace pawl
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
