"""A program that imports much of the standard library."""
import argparse, ast, asyncio, concurrent.futures, configparser, csv, ctypes, dataclasses, decimal, difflib, email.message
import fractions, html.parser, http.client, inspect, logging.config, multiprocessing, optparse, pdb, pickle, platform, plistlib
import pydoc, random, sqlite3, ssl, statistics, tarfile, tempfile, tokenize, textwrap, typing, unittest.mock, urllib.request
import uuid, xml.dom.minidom, xml.etree.ElementTree, xmlrpc.client, zipfile

print(len(dir(argparse)) > 0)
