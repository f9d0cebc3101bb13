"""Checks what docker-compose.yml promises: every service has a memory limit and rotates its log, and the profile "edge"
has a TLS proxy in front of two apis, which believe forwarded addresses from that proxy alone."""

import sys

import yaml

with open("docker-compose.yml") as file:
    compose = yaml.safe_load(file)
services = compose["services"]
faults = []


def check(holds, fault):
    if not holds:
        faults.append(fault)


for name, service in services.items():
    # One that ends by itself needs neither.
    if service.get("restart") in (None, "no"):
        continue
    options = service.get("logging", {}).get("options", {})
    check("max-size" in options and "max-file" in options, f"{name}: its log does not rotate")
    check("mem_limit" in service, f"{name}: no memory limit")

edge = {name: service for name, service in services.items() if "edge" in service.get("profiles", [])}
check("edge" in edge, "the profile edge has no proxy")
if "edge" in edge:
    proxy = edge["edge"]
    ports = {str(port).split(":")[-2] if ":" in str(port) else str(port) for port in proxy.get("ports", [])}
    check({"80", "443"} <= ports, f"edge: ports 80 and 443 are not published: {sorted(ports)}")
    with open("deploy/edge/Caddyfile") as file:
        caddyfile = file.read()
    upstreams = next(line for line in caddyfile.splitlines() if "reverse_proxy" in line).split()[1:-1]
    hosts = [upstream.split(":")[0] for upstream in upstreams]
    check(len(hosts) >= 2, "edge: fewer than two apis behind it")
    for host in hosts:
        check(host in services, f"edge: {host} is no service")
        check("edge" in services.get(host, {}).get("networks", []), f"{host}: not in the network of the edge")
    address = proxy["networks"]["edge"]["ipv4_address"]
    trusted = compose["x-settings"]["PUNCTUAL_TRUSTED_PROXIES"]
    check(address in trusted, f"the apis do not trust the edge's address {address}")

for fault in faults:
    print("docker-compose.yml:", fault, file=sys.stderr)
sys.exit(1 if faults else 0)
