#pragma once

#include <cstddef>

#include "stack/base/check.hpp"

namespace sluice::base {

/// What an object inherits to stand in one IntrusiveList at a time; `Tag` allows several lists.
template <class Tag = void>
struct ListHook {
  ListHook* previous = nullptr;
  ListHook* next = nullptr;
  bool linked() const { return next != nullptr; }
};

/// A doubly linked list of objects that it does not own. Linking, unlinking and asking the size are O(1).
template <class T, class Tag = void>
class IntrusiveList {
  using Hook = ListHook<Tag>;

 public:
  IntrusiveList() { head_.previous = head_.next = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next == &head_; }
  std::size_t size() const { return size_; }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next); }
  T* back() const { return empty() ? nullptr : static_cast<T*>(head_.previous); }
  /// The one behind `item`, or null.
  T* next(const T& item) const {
    Hook* const hook = static_cast<const Hook&>(item).next;
    return hook == &head_ ? nullptr : static_cast<T*>(hook);
  }
  /// The one before `item`, or null.
  T* previous(const T& item) const {
    Hook* const hook = static_cast<const Hook&>(item).previous;
    return hook == &head_ ? nullptr : static_cast<T*>(hook);
  }
  void push_back(T& item) { link(item, head_); }
  void push_front(T& item) { link(item, *head_.next); }
  void insert_before(T& item, T& position) { link(item, position); }
  T* pop_front() {
    T* const item = front();
    if (item != nullptr) erase(*item);
    return item;
  }
  void erase(T& item) {
    Hook& hook = item;
    SLUICE_DCHECK(hook.linked());
    hook.previous->next = hook.next;
    hook.next->previous = hook.previous;
    hook.previous = hook.next = nullptr;
    --size_;
  }

 private:
  void link(Hook& hook, Hook& before) {
    SLUICE_DCHECK(!hook.linked());
    hook.next = &before;
    hook.previous = before.previous;
    before.previous->next = &hook;
    before.previous = &hook;
    ++size_;
  }

  Hook head_;
  std::size_t size_ = 0;
};

}  // namespace sluice::base
