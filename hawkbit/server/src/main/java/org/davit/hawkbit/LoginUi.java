package org.davit.hawkbit;

import com.vaadin.spring.annotation.SpringUI;
import org.eclipse.hawkbit.im.authentication.MultitenancyIndicator;
import org.eclipse.hawkbit.ui.UiProperties;
import org.eclipse.hawkbit.ui.login.AbstractHawkbitLoginUI;
import org.eclipse.hawkbit.ui.utils.VaadinMessageSource;
import org.springframework.context.ApplicationContext;
import org.vaadin.spring.security.VaadinSecurity;

@SpringUI(path = "/login")
public class LoginUi extends AbstractHawkbitLoginUI {
    private static final long serialVersionUID = 1L;

    LoginUi(final ApplicationContext context, final VaadinSecurity security, final VaadinMessageSource messages,
            final UiProperties properties, final MultitenancyIndicator multitenancy) {
        super(context, security, messages, properties, multitenancy);
    }
}
