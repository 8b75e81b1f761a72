#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::apps {

/// A JSON value as far as telemetry answers use it: objects in their order, strings, whole numbers, null.
struct JsonValue {
  struct Member;
  using Object = std::vector<Member>;
  std::variant<std::nullptr_t, std::uint64_t, std::string, Object> value;

  /// The member `name` of an object; null if there is none.
  const JsonValue* find(std::string_view name) const;
  /// A number, or 0.
  std::uint64_t number() const;
  /// A string, a number as text, or nothing.
  std::string text() const;
  /// An object's members; null if this is none.
  const Object* object() const;
};

/// Not a std::pair: that would ask whether an incomplete JsonValue can be made without arguments.
struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

/// Throws Error when `text` is something else.
JsonValue parse_json(std::string_view text);

}  // namespace sluice::apps
