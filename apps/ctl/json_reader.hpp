#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::apps {

/// A JSON value as far as telemetry answers use it: objects in their order, strings, whole numbers, null.
struct JsonValue {
  using Object = std::vector<std::pair<std::string, JsonValue>>;
  std::variant<std::nullptr_t, std::uint64_t, std::string, Object> value;

  /// The member `name` of an object; null if there is none.
  const JsonValue* find(std::string_view name) const;
  /// A number, or 0.
  std::uint64_t number() const;
  /// A string, a number as text, or nothing.
  std::string text() const;
  const Object* object() const { return std::get_if<Object>(&value); }
};

/// Throws Error when `text` is something else.
JsonValue parse_json(std::string_view text);

}  // namespace sluice::apps
