"""The WebSocket between one browser and one kernel: the place where every message out is judged and counted."""

from __future__ import annotations

import json
import signal
from typing import Any

from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import WebSocketClosedError

from sandbox.server.kernels import signed_parts
from sandbox.server.messages import Passed, Withheld, notice, rebuild
from sandbox.server.meter import Meter, Via
from sandbox.server.words import Language, say

_V1 = "v1.kernel.websocket.jupyter.org"
_SKELETON = frozenset({"status", "execute_reply", "input_request", "interrupt_reply", "shutdown_reply"})
"""What a browser waits for before it lets the analyst go on; small, and allowed a little beyond the budget."""

_SAID_TO_BE_WITHHELD = frozenset({"stream", "display_data", "execute_result", "error"})


class MeteredConnection(ZMQChannelsWebsocketConnection):
    """Upstream's connection with its way out replaced; the way in is upstream's."""

    kernel_info_channel: Any
    _last_told = b""
    _running = b""
    """What the kernel works on: the header of the request it took up last, rebuilt."""
    _ran = b""

    @property
    def _meter(self) -> Meter:
        return self.websocket_handler.settings["zhakou_meter"]

    @property
    def _language(self) -> Language:
        return self.websocket_handler.settings["zhakou_language"]

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        if isinstance(stream, str):
            stream = self.channels[stream]
        if stream.closed():
            self.disconnect()
            return
        channel = str(getattr(stream, "channel", ""))
        judged = rebuild(channel, signed_parts([bytes(frame) for frame in outgoing_msg]))
        match judged:
            case Passed():
                if judged.kind == "execute_input":
                    self._running = self._ran = judged.parts[1]
                elif judged.kind == "execute_reply":
                    self._running = b""
                self._send(channel, judged)
            case Withheld(notify=True):
                self._say("oversize", parent=judged.parent)
            case Withheld():
                self.log.debug("a message on %s was withheld: %s", channel, judged.reason)

    def _send(self, channel: str, message: Passed) -> None:
        if self._meter.spend(message.size, Via.MESSAGE):
            self._write(channel, message)
        elif message.kind in _SKELETON:
            if self._meter.spend_spare(message.size):
                self._write(channel, message)
        elif message.kind in _SAID_TO_BE_WITHHELD and message.parts[1] != self._last_told:
            self._last_told = message.parts[1]  # once a cell
            self._say("budget", parent=message.parts[1])

    def on_kernel_restarted(self) -> None:
        """Say below the cell that was running why the kernel is gone, before the browser forgets the cell."""
        if self._running:
            ended = getattr(self.kernel_manager.provisioner, "last_status", None)
            self._say("killed" if ended == -signal.SIGKILL else "died", parent=self._running)
            self._running = b""
        super().on_kernel_restarted()

    def on_restart_failed(self) -> None:
        """Say why it stays dead."""
        words = getattr(self.kernel_manager, "refused_words", "")
        if words and self._ran:
            self._write_notice(f"[zhakou] {words}", parent=self._ran)
        super().on_restart_failed()

    def _say(self, code: str, *, parent: bytes) -> None:
        limit = f"{self.websocket_handler.settings['zhakou_memory_bytes'] / 2**30:.3g} GiB"
        self._write_notice(say(code, self._language, limit=limit), parent=parent)

    def _write_notice(self, text: str, *, parent: bytes) -> None:
        header = {**self.session.msg_header("stream"), "username": "zhakou"}
        header["date"] = header["date"].isoformat()
        message = notice(text, parent=parent, header=header)
        if self._meter.spend_spare(message.size):
            self._write("iopub", message)

    def _write(self, channel: str, message: Passed) -> None:
        try:
            if self.subprotocol == _V1:
                self.write_message(serialize_msg_to_ws_v1(list(message.parts), channel), binary=True)
            else:
                header, parent, metadata, content = (json.loads(part) for part in message.parts)
                said = {
                    "header": header,
                    "msg_id": header["msg_id"],
                    "msg_type": message.kind,
                    "parent_header": parent,
                    "metadata": metadata,
                    "content": content,
                    "buffers": [],
                    "channel": channel,
                }
                self.write_message(json.dumps(said))
        except WebSocketClosedError:
            self.log.debug("the browser left before its message")

    def _handle_kernel_info_reply(self, msg: Any) -> None:
        """The kernel's word on its protocol is not asked for: we know what box B runs."""
        self._finish_kernel_info({})
        if self.kernel_info_channel:
            self.kernel_info_channel.close()
        self.kernel_info_channel = None
