#pragma once

#include <cmath>
#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>

namespace sluice::apps {

/// Writes JSON into a string, object by object; commas and quotes come by themselves.
class Json {
 public:
  Json& begin_object(std::string_view key = {}) { return open(key, '{'); }
  Json& end_object() { return close('}'); }
  Json& begin_array(std::string_view key = {}) { return open(key, '['); }
  Json& end_array() { return close(']'); }
  Json& add(std::string_view key, std::string_view value) {
    name(key);
    quote(value);
    return *this;
  }
  Json& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  Json& add(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  Json& add(std::string_view key, std::integral auto value) { return raw(key, std::to_string(value)); }
  Json& add(std::string_view key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.6g", std::isfinite(value) ? value : 0.0);
    return raw(key, digits);
  }
  const std::string& text() const { return text_; }

 private:
  Json& open(std::string_view key, char bracket) {
    name(key);
    text_ += bracket;
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  Json& raw(std::string_view key, std::string_view value) {
    name(key);
    text_ += value;
    return *this;
  }
  void name(std::string_view key) {
    if (!first_) text_ += ',';
    first_ = false;
    if (key.empty()) return;
    quote(key);
    text_ += ':';
  }
  void quote(std::string_view value) {
    text_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') text_ += '\\';
      if (static_cast<unsigned char>(c) < 0x20) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", c);
        text_ += escape;
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }

  std::string text_;
  bool first_ = true;
};

}  // namespace sluice::apps
