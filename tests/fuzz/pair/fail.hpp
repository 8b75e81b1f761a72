#pragma once

#include <string>

namespace sluice::fuzz {

/// Says what is wrong and aborts, which the fuzzer reports with the input.
[[noreturn]] void fail(const std::string& what);

}  // namespace sluice::fuzz
