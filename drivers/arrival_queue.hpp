#pragma once

#include <sluice/time.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "stack/base/buffer.hpp"

namespace sluice::drivers {

/// A frame under way on the in-memory wire.
struct Travelling {
  Timestamp arrival;
  std::uint64_t serial = 0;  ///< in order of sending: breaks ties of arrival
  std::uint16_t from = 0;
  base::Buffer frame;
};

/// Frames under way to one receive queue, first to arrive first out. Most arrive in the order of sending and stand in
/// a plain queue; only those that overtake go through a heap.
class ArrivalQueue {
 public:
  void push(Travelling&& item) {
    if (in_order_.empty() || item.arrival >= in_order_.back().arrival) {
      in_order_.push_back(std::move(item));
    } else {
      overtaking_.push_back(std::move(item));
      std::push_heap(overtaking_.begin(), overtaking_.end(), later);
    }
  }
  bool empty() const { return in_order_.empty() && overtaking_.empty(); }
  std::size_t size() const { return in_order_.size() + overtaking_.size(); }
  /// Arrival of the first; kNever when empty.
  Timestamp next() const {
    const Timestamp a = in_order_.empty() ? kNever : in_order_.front().arrival;
    const Timestamp b = overtaking_.empty() ? kNever : overtaking_.front().arrival;
    return std::min(a, b);
  }
  /// Takes the first; there is one.
  Travelling pop() {
    if (overtaking_.empty() || (!in_order_.empty() && later(overtaking_.front(), in_order_.front()))) {
      Travelling item = std::move(in_order_.front());
      in_order_.pop_front();
      return item;
    }
    std::pop_heap(overtaking_.begin(), overtaking_.end(), later);
    Travelling item = std::move(overtaking_.back());
    overtaking_.pop_back();
    return item;
  }

 private:
  static bool later(const Travelling& a, const Travelling& b) {
    return a.arrival != b.arrival ? a.arrival > b.arrival : a.serial > b.serial;
  }

  std::deque<Travelling> in_order_;
  std::vector<Travelling> overtaking_;
};

}  // namespace sluice::drivers
