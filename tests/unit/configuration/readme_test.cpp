#include "actors/configuration.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace pawl {
namespace {

TEST(Configuration, IsDescribedInTheReadmeAsItIs) {
  auto root = std::filesystem::path{__FILE__}.parent_path() / ".." / ".." / "..";
  std::ifstream file{root / "README.md"};
  std::string readme{std::istreambuf_iterator<char>{file}, {}};
  ASSERT_FALSE(readme.empty());
  auto table = parse_invocation("pawl", {"--print-config-table"}, {}, "0").text;
  EXPECT_NE(readme.find(table), std::string::npos)
      << "put the output of `order_workflow --print-config-table` into README.md";
}

}  // namespace
}  // namespace pawl
