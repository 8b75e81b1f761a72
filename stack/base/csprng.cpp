#include "stack/base/csprng.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>

#include "stack/base/check.hpp"

namespace sluice::base {
namespace {

void generate(std::span<std::byte> out) noexcept {
  const int ok = RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  SLUICE_CHECK(ok == 1);
}

}  // namespace

Csprng::~Csprng() {
  OPENSSL_cleanse(pool_.data(), pool_.size());
}

void Csprng::fill(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    if (used_ == pool_.size()) {
      generate(pool_);
      used_ = 0;
    }
    const std::size_t n = out.size() < pool_.size() - used_ ? out.size() : pool_.size() - used_;
    std::memcpy(out.data(), pool_.data() + used_, n);
    std::memset(pool_.data() + used_, 0, n);
    used_ += n;
    out = out.subspan(n);
  }
}

}  // namespace sluice::base
