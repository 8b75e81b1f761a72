#include "stack/socket/association_status.hpp"

namespace sluice::socket {

AssociationStatus association_status(const assoc::Snapshot& snapshot, std::uint16_t worker) {
  AssociationStatus status;
  status.id = snapshot.id;
  status.endpoint = snapshot.endpoint;
  status.worker = worker;
  status.state = assoc::name(snapshot.state);
  status.local_port = snapshot.local_port;
  status.peer_port = snapshot.peer_port;
  status.streams_in = snapshot.inbound_streams;
  status.streams_out = snapshot.outbound_streams;
  status.peer_window = snapshot.peer_window;
  status.receive_window = snapshot.local_window;
  status.buffered_bytes = snapshot.buffered_bytes;
  status.outstanding_bytes = snapshot.outstanding_bytes;
  status.chunks_unacknowledged = snapshot.chunks_unacknowledged;
  status.chunks_pending = snapshot.chunks_pending;
  status.chunks_sent = snapshot.data_chunks_sent;
  status.chunks_received = snapshot.data_chunks_received;
  status.chunks_retransmitted = snapshot.data_chunks_retransmitted;
  status.chunks_timed_out = snapshot.data_chunks_timed_out;
  status.t1_expired = snapshot.t1_expired;
  status.t2_expired = snapshot.t2_expired;
  status.error_count = snapshot.error_count;
  status.failovers = snapshot.failovers;
  for (const assoc::PathSnapshot& path : snapshot.paths) {
    PathStatus& out = status.paths.emplace_back();
    out.id = PathId(static_cast<std::uint8_t>(status.paths.size() - 1));
    out.state = path.state;
    out.primary = path.primary;
    out.source = path.source;
    out.destination = path.destination;
    out.pmtu = path.pmtu;
    out.rto = path.rto;
    out.srtt = path.srtt;
    out.cwnd = path.cwnd;
    out.ssthresh = path.ssthresh;
    out.outstanding = path.outstanding;
    out.error_count = path.error_count;
    out.retransmitted = path.retransmitted;
  }
  return status;
}

}  // namespace sluice::socket
