"""A small certificate authority for tests, made by openssl(1), and a TLS front for a Receiver."""
import os
import socket
import ssl
import subprocess
import threading


class Authority:
    """CA in a directory; issue() makes a certificate for names and addresses."""

    def __init__(self, directory, name="ca"):
        self.directory = str(directory)
        self.certificate, self.key = self.path(name + ".pem"), self.path(name + ".key")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", self.key, "-out", self.certificate, "-days", "2",
                     "-subj", "/CN=" + name)

    def path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name, alternatives, expired=False):
        """Paths of a certificate and its key; alternatives such as "DNS:a.test,IP:127.0.0.1"."""
        request, extension = self.path(name + ".csr"), self.path(name + ".ext")
        certificate, key = self.path(name + ".pem"), self.path(name + ".key")
        with open(extension, "w", encoding="ascii") as file:
            file.write("subjectAltName=%s\n" % alternatives)
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", key, "-out", request, "-subj", "/CN=" + name)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                     "-set_serial", "1", "-out", certificate, "-extfile", extension,
                     "-days", "-1" if expired else "2")
        return certificate, key


class Front:
    """Terminates TLS in front of a receiver: what it learns of each handshake is in `handshakes`."""

    def __init__(self, receiver, certificate, key, client_ca=None, maximum=None, stall=False):
        self.receiver = receiver
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.names = []  # what SNI said
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        if maximum:
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.maximum_version = maximum
            self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.stall = stall
        self.handshakes = []  # (version, session reused, client certificate)
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, host="127.0.0.1"):
        return "https://%s:%d/hook" % (host, self.port)

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(plain)
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        if self.stall:
            return
        try:
            secure = self.context.wrap_socket(plain, server_side=True)
        except (OSError, ssl.SSLError):
            plain.close()
            return
        self.sockets.append(secure)
        self.handshakes.append((secure.version(), secure.session_reused, secure.getpeercert()))
        behind = socket.create_connection(("127.0.0.1", self.receiver.port))
        threading.Thread(target=self.pump, args=(behind, secure), daemon=True).start()
        self.pump(secure, behind)

    @staticmethod
    def pump(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hang_up(self):
        """Ends every connection without a close_notify. Shut down, not closed: a thread may still
        read from the descriptor, which must not become another socket's meanwhile."""
        for sock in self.sockets:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass

    def dispose(self):
        self.listener.close()
        self.hang_up()
