# SPDX-License-Identifier: BSD-2-Clause
"""A QMP client that follows the specification, over two files or a socket."""
import json


class Error(Exception):
    """What the server answers to a command that fails."""

    def __init__(self, error):
        super().__init__(f"{error['class']}: {error['desc']}")
        self.error = error


class Client:
    """After construction the greeting has come, and capabilities are negotiated."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.events, self.last_id = reader, writer, [], 0
        line = b""
        while not line.startswith(b'{"QMP"'):  # the firmware's output comes before
            line = self.read_line()
        self.greeting = json.loads(line)["QMP"]
        self.execute("qmp_capabilities")

    def read_line(self):
        line = self.reader.readline()
        if not line:
            raise EOFError("the server is gone")
        return line

    def read(self):
        message = json.loads(self.read_line())
        if "event" in message:
            assert message["timestamp"].keys() == {"seconds", "microseconds"}, message
            self.events.append(message)
        return message

    def send(self, message):
        self.writer.write(json.dumps(message).encode() + b"\n")
        self.writer.flush()

    def execute(self, command, **arguments):
        """What the command returns; events that come before are in 'events'."""
        self.last_id += 1
        message = {"execute": command, "id": self.last_id}
        if arguments:
            message["arguments"] = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.send(message)
        answer = self.read()
        while answer.get("id") != self.last_id:
            answer = self.read()
        if "error" in answer:
            raise Error(answer["error"])
        return answer["return"]

    def wait(self, event, **data):
        """The first event of this name that has these data and was not waited for; removes those before."""
        while True:
            while self.events:
                message = self.events.pop(0)
                if message["event"] == event and data.items() <= message.get("data", {}).items():
                    return message
            self.read()
