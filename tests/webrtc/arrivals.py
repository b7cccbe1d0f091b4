"""What arrives at a receiver of aiortc, written down before aiortc takes it."""

from __future__ import annotations

from typing import Any

from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket


def write_down(receiver: Any, packets: list[RtpPacket], reports: list[RtcpSrPacket]) -> None:
    """Every RTP packet into `packets` and every sender report into `reports`. `receiver`: aiortc's, from within."""
    on_rtp, on_rtcp = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

    async def rtp(packet: RtpPacket, arrival_time_ms: int) -> None:
        packets.append(packet)
        await on_rtp(packet, arrival_time_ms)

    async def rtcp(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket):
            reports.append(packet)
        await on_rtcp(packet)

    receiver._handle_rtp_packet, receiver._handle_rtcp_packet = rtp, rtcp
