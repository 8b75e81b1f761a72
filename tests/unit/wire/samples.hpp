#pragma once

#include <vector>

#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {

struct Sample {
  const char* name;
  const char* chunk;  ///< hexadecimal, without the padding behind it
};

/// One hand-made chunk at least of every kind of RFC 9260 §3.3, with every parameter and error cause in some of them.
inline const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"data", "00 0f 0015 00112233 0004 0005 00000003 68656c6c6f"},
      {"data without user data", "00 03 0010 00112233 0004 0005 00000003"},
      {"init",
       "01 00 0054 11223344 00020000 000a 0800 55667788"
       "0005 0008 c6120001"
       "0006 0014 20010db8000000000000000000000001"
       "0009 0008 00001388"
       "000c 0008 0005 0006"
       "8000 0004"
       "c000 0004"
       "8001 0008 00000001"
       "c0ff 0004"},
      {"init with a host name", "01 00 001d 11223344 00020000 0001 0001 55667788 000b 0009 686f737400"},
      {"init ack",
       "02 00 0034 11223344 00020000 000a 0800 55667788"
       "0005 0008 c6120002"
       "0007 000a 010203040506 0000"
       "0008 000c c0ff 0008 00000001"},
      {"sack", "03 00 0020 0000000c 00001234 0002 0002 0002 0003 0005 0005 00000009 0000000a"},
      {"bare sack", "03 00 0010 0000000c 00001234 0000 0000"},
      {"heartbeat", "04 00 000f 0001 000b 01020304050607"},
      {"heartbeat ack", "05 00 000c 0001 0008 01020304"},
      {"abort", "06 01 0004"},
      {"abort with causes", "06 00 001d 0004 0004 000c 0009 7265617374 0000 00 000d 0009 7768617421"},
      {"shutdown", "07 00 0008 00112233"},
      {"shutdown ack", "08 00 0004"},
      {"error",
       "09 00 0086"
       "0001 0008 0007 0000"
       "0002 000c 00000002 0007 0005"
       "0003 0008 000003e8"
       "0004 0004"
       "0005 000a 000b 0006 6800 0000"
       "0006 000c c7 05 0008 01020304"
       "0007 0004"
       "0008 0014 c0ff 0005 01 000000 c0fe 0008 01020304"
       "0009 0008 00112233"
       "000a 0004"
       "000b 0020 0005 0008 c6120009 0006 0014 20010db8000000000000000000000009"
       "000c 0006 6279"},
      {"cookie echo", "0a 00 000b 01020304050607"},
      {"cookie ack", "0b 00 0004"},
      {"ecne", "0c 00 0008 00112233"},
      {"cwr", "0d 00 0008 00112233"},
      {"shutdown complete", "0e 01 0004"},
  };
  return all;
}

/// The common header of hand-made packets.
inline constexpr const char* kHeader = "0b59 0b5a 01020304 00000000";

}  // namespace sluice::wire::test
