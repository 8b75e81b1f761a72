#include "apps/ctl/json_reader.hpp"

#include <sluice/error.hpp>

#include <charconv>
#include <utility>

namespace sluice::apps {
namespace {

constexpr int kMaxDepth = 8;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  JsonValue whole() {
    JsonValue value = read(0);
    skip_space();
    if (at_ != text_.size()) fail();
    return value;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error("the stack's answer is not understood at character " + std::to_string(at_) +
                "; is it of the same version as this sluice-ctl?");
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  char peek() {
    skip_space();
    if (at_ == text_.size()) fail();
    return text_[at_];
  }
  void expect(char wanted) {
    if (peek() != wanted) fail();
    ++at_;
  }

  JsonValue read(int depth) {
    if (depth > kMaxDepth) fail();
    switch (peek()) {
      case '{':
        return {read_object(depth)};
      case '"':
        return {read_string()};
      case 'n':
        if (text_.substr(at_, 4) != "null") fail();
        at_ += 4;
        return {nullptr};
      default:
        return {read_number()};
    }
  }

  JsonValue::Object read_object(int depth) {
    JsonValue::Object object;
    expect('{');
    if (peek() == '}') {
      ++at_;
      return object;
    }
    for (;;) {
      std::string name = read_string();
      expect(':');
      object.push_back({std::move(name), read(depth + 1)});
      if (peek() == '}') break;
      expect(',');
    }
    ++at_;
    return object;
  }

  std::string read_string() {
    expect('"');
    std::string out;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) fail();
      out += text_[at_];
    }
    expect('"');
    return out;
  }

  std::uint64_t read_number() {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc{}) fail();
    at_ = static_cast<std::size_t>(end - text_.data());
    return number;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  if (const Object* const members = object())
    for (const Member& member : *members)
      if (member.name == name) return &member.value;
  return nullptr;
}

const JsonValue::Object* JsonValue::object() const {
  return std::get_if<Object>(&value);
}

std::uint64_t JsonValue::number() const {
  const auto* const found = std::get_if<std::uint64_t>(&value);
  return found == nullptr ? 0 : *found;
}

std::string JsonValue::text() const {
  if (const auto* const words = std::get_if<std::string>(&value)) return *words;
  if (const auto* const digits = std::get_if<std::uint64_t>(&value)) return std::to_string(*digits);
  return {};
}

JsonValue parse_json(std::string_view text) {
  return Reader(text).whole();
}

}  // namespace sluice::apps
