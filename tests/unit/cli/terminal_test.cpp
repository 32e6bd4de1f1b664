#include "cli/terminal.hpp"

#include "cli/table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pawl::cli {
namespace {

TEST(Terminal, PrintableTextStaysAsItIs) {
  for (const auto* text : {"", "order/o-1", "Käse → 東京 🦊", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(printable(text), text);
}

TEST(Terminal, ControlCharactersAreShownAndNotObeyed) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable(std::string_view{"\0\r\n\t\x7f", 5}), "\\x00\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u{9b}31m")
      << "the C1 form of ESC [";
}

TEST(Terminal, MarksThatReorderOrHideTextAreShown) {
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\u{202e}b");
  EXPECT_EQ(printable("\xef\xbb\xbf"), "\\u{feff}");
}

TEST(Terminal, BytesThatAreNoUtf8AreShownOneByOne) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut";
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above the last character";
  EXPECT_EQ(printable("\xc3("), "\\xc3(");
}

TEST(Terminal, ColoursAreThereOnlyIfAskedFor) {
  EXPECT_EQ(painter{}(tone::bad, "x"), "x");
  EXPECT_EQ(painter{true}(tone::bad, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(painter{true}(tone::plain, "x"), "x");
}

TEST(Table, AlignsByCharactersAndEscapesItsCells) {
  table t{{{"NODE"}, {"N", table::align::right}, {"END"}}};
  t.add({"ä", "7", "x"});
  t.add({"n\x1b", "1,234", "y"});
  EXPECT_EQ(t.text(painter{}), "NODE       N  END\nä          7  x\nn\\x1b  1,234  y\n");
}

TEST(Table, NumbersAreGroupedAndRatesAreShort) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(rate_text(0.26), "0.3");
  EXPECT_EQ(rate_text(12'345.6), "12,346");
  EXPECT_EQ(rate_text(-1), "-");
}

}  // namespace
}  // namespace pawl::cli
