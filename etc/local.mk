# SPDX-License-Identifier: ISC
EXTRA_DIST += etc/chatroomd.service.in
CLEANFILES += etc/chatroomd.service

# Made by make instead of configure, because sbindir may refer to other variables until then. In a
# quoted path systemd treats % \ and " specially.
etc/chatroomd.service: etc/chatroomd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && \
	sbindir=`echo '$(sbindir)' | $(SED) 's|[\\"]|\\\\&|g; s|%|%%|g; s|[\\&|]|\\\\&|g'` && \
	$(SED) "s|@sbindir[@]|$$sbindir|" '$(srcdir)/etc/chatroomd.service.in' >$@.new && mv $@.new $@

if HAVE_SYSTEMD
systemdsystemunit_DATA = etc/chatroomd.service
endif

# The documents, in the folders that README names, and the example of a configuration.
nobase_dist_doc_DATA = README COPYING NEWS HACKING \
	doc/architecture.md doc/promises.md doc/security.md \
	bench/README bench/figures.png etc/chatroomd.conf

# An existing configuration is kept, and uninstall removes only an unchanged one.
install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)'
	test -e '$(DESTDIR)$(sysconfdir)/chatroomd.conf' || \
	$(INSTALL_DATA) '$(srcdir)/etc/chatroomd.conf' '$(DESTDIR)$(sysconfdir)/chatroomd.conf'

uninstall-hook:
	if cmp -s '$(srcdir)/etc/chatroomd.conf' '$(DESTDIR)$(sysconfdir)/chatroomd.conf'; then \
	rm -f '$(DESTDIR)$(sysconfdir)/chatroomd.conf'; fi
