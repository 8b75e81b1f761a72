#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "stack/base/check.hpp"

namespace sluice::base {

/// Up to `Capacity` values in place, without the heap. For small plain types; a full one refuses and says so.
template <class T, std::size_t Capacity>
class BoundedVector {
 public:
  using value_type = T;

  constexpr BoundedVector() = default;
  constexpr BoundedVector(std::initializer_list<T> values) {
    for (const T& value : values) SLUICE_CHECK(push_back(value));
  }

  /// False when full; nothing was added.
  [[nodiscard]] constexpr bool push_back(const T& value) {
    if (size_ == Capacity) return false;
    items_[size_++] = value;
    return true;
  }
  constexpr void pop_back() {
    SLUICE_CHECK(size_ > 0);
    --size_;
  }
  constexpr void clear() { size_ = 0; }
  constexpr bool contains(const T& value) const {
    for (const T& item : *this)
      if (item == value) return true;
    return false;
  }
  /// Removes item `i`; those behind it move up, their order kept.
  constexpr void erase(std::size_t i) {
    SLUICE_CHECK(i < size_);
    for (; i + 1 < size_; ++i) items_[i] = items_[i + 1];
    --size_;
  }

  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr bool full() const { return size_ == Capacity; }
  static constexpr std::size_t capacity() { return Capacity; }
  constexpr T& operator[](std::size_t i) {
    SLUICE_DCHECK(i < size_);
    return items_[i];
  }
  constexpr const T& operator[](std::size_t i) const {
    SLUICE_DCHECK(i < size_);
    return items_[i];
  }
  constexpr T& front() { return (*this)[0]; }
  constexpr const T& front() const { return (*this)[0]; }
  constexpr T& back() { return (*this)[size_ - 1]; }
  constexpr const T& back() const { return (*this)[size_ - 1]; }
  constexpr T* begin() { return items_.data(); }
  constexpr T* end() { return items_.data() + size_; }
  constexpr const T* begin() const { return items_.data(); }
  constexpr const T* end() const { return items_.data() + size_; }

  friend constexpr bool operator==(const BoundedVector& a, const BoundedVector& b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.items_[i] == b.items_[i])) return false;
    return true;
  }

 private:
  // As small as it may be: such vectors stand in records of which there are a million.
  using Size = std::conditional_t<(Capacity <= UINT8_MAX), std::uint8_t, std::size_t>;

  std::array<T, Capacity> items_{};
  Size size_ = 0;
};

}  // namespace sluice::base
