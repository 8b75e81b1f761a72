#pragma once

#include <array>

#include "stack/base/random.hpp"

namespace sluice::base {

/// Bytes that nobody can guess, from libcrypto's generator, fetched in bulk so that a tag or a nonce costs a copy. Used
/// bytes are wiped. One thread's. Ends the process if the generator fails: there is no safe way on without it.
class Csprng final : public Random {
 public:
  Csprng() = default;
  Csprng(const Csprng&) = delete;
  Csprng& operator=(const Csprng&) = delete;
  ~Csprng() override;
  void fill(std::span<std::byte> out) noexcept override;

 private:
  std::array<std::byte, 4096> pool_{};
  std::size_t used_ = sizeof pool_;
};

}  // namespace sluice::base
