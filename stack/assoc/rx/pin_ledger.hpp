#pragma once

#include "stack/base/buffer.hpp"
#include "stack/base/object_pool.hpp"

namespace sluice::assoc {

/// Told when memory charged to a PinLedger became free.
class UnpinListener {
 public:
  virtual void on_unpinned() noexcept = 0;

 protected:
  ~UnpinListener() = default;
};

/// What one association pins of the receive memory. Outlives the association as long as the application holds blocks
/// of it, and then goes back to its pool by itself.
class PinLedger final : public base::PinAccount {
 public:
  PinLedger(base::ObjectPool<PinLedger>& pool, UnpinListener& listener) : pool_(pool), listener_(&listener) {}

  /// The association goes, and with it the listener. Do not use the ledger afterwards.
  void abandon() noexcept {
    listener_ = nullptr;
    if (blocks == 0) pool_.destroy(this);
  }
  void unpinned() noexcept override {
    if (listener_ != nullptr)
      listener_->on_unpinned();
    else if (blocks == 0)
      pool_.destroy(this);
  }

 private:
  base::ObjectPool<PinLedger>& pool_;
  UnpinListener* listener_;
};

}  // namespace sluice::assoc
