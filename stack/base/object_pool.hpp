#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "stack/base/check.hpp"

namespace sluice::base {

/// A bounded pool of objects of one type: memory comes in slabs, as it is first needed, and is reused without touching
/// the heap. One thread's. Everything must be back before the pool goes.
template <class T>
class ObjectPool {
 public:
  /// At most `limit` objects at once; `slab` of them are made room for at a time.
  explicit ObjectPool(std::uint32_t limit, std::uint32_t slab = 256) : limit_(limit), slab_(slab) {}
  ObjectPool(const ObjectPool&) = delete;
  ObjectPool& operator=(const ObjectPool&) = delete;
  ~ObjectPool() { SLUICE_CHECK(out_ == 0); }

  /// A new object, or null when `limit` are out.
  template <class... Args>
  T* make(Args&&... args) {
    if (out_ == limit_) return nullptr;
    if (free_ == nullptr) grow();
    Slot* const slot = free_;
    free_ = slot->next;
    ++out_;
    return new (slot->memory) T(std::forward<Args>(args)...);
  }
  void destroy(T* object) noexcept {
    SLUICE_DCHECK(out_ > 0);
    object->~T();
    auto* const slot = reinterpret_cast<Slot*>(object);
    slot->next = free_;
    free_ = slot;
    --out_;
  }
  std::uint32_t out() const { return out_; }
  std::uint32_t limit() const { return limit_; }
  /// Less than a quarter is left.
  bool scarce() const { return out_ > limit_ / 4 * 3; }
  /// Makes room for `count` objects now, so that the data path never does.
  void reserve(std::uint32_t count) {
    while (made_ < count && made_ < limit_) grow();
  }

 private:
  union Slot {
    Slot() {}
    ~Slot() {}
    Slot* next;
    alignas(T) std::byte memory[sizeof(T)];
  };

  void grow() {
    slabs_.push_back(std::make_unique<Slot[]>(slab_));
    Slot* const slots = slabs_.back().get();
    for (std::uint32_t i = slab_; i-- > 0;) {
      slots[i].next = free_;
      free_ = &slots[i];
    }
    made_ += slab_;
  }

  std::uint32_t limit_;
  std::uint32_t slab_;
  std::uint32_t out_ = 0;
  std::uint32_t made_ = 0;
  Slot* free_ = nullptr;
  std::vector<std::unique_ptr<Slot[]>> slabs_;
};

}  // namespace sluice::base
