# SPDX-License-Identifier: ISC
EXTRA_DIST += etc/chatroomd.conf etc/chatroomd.service.in
CLEANFILES += etc/chatroomd.service

# Not by configure: sbindir is only known in full when make runs.
etc/chatroomd.service: etc/chatroomd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && \
	$(SED) 's|@sbindir[@]|$(sbindir)|' '$(srcdir)/etc/chatroomd.service.in' >$@.new && mv $@.new $@

if HAVE_SYSTEMD
systemdsystemunit_DATA = etc/chatroomd.service
endif

# A configuration that the operator has changed is kept, by install and by uninstall. The
# example as it is now is always among the documentation.
dist_doc_DATA = README SECURITY etc/chatroomd.conf

install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)'
	test -e '$(DESTDIR)$(sysconfdir)/chatroomd.conf' || \
	$(INSTALL_DATA) '$(srcdir)/etc/chatroomd.conf' '$(DESTDIR)$(sysconfdir)/chatroomd.conf'

uninstall-hook:
	if cmp -s '$(srcdir)/etc/chatroomd.conf' '$(DESTDIR)$(sysconfdir)/chatroomd.conf'; then \
	rm -f '$(DESTDIR)$(sysconfdir)/chatroomd.conf'; fi
